"""LiteRT.js is asked by a process; where it is not installed, a program in its place."""

import os
import sys

import numpy as np
import pytest

from rnnsuite.core.errors import ExportFailed
from rnnsuite.device.runner import LiteFile, LiteModel
from rnnsuite.pipeline.export import flatbuffer, litertjs, parity
from rnnsuite.pipeline.export.litertjs import NodeEngine, missing

DOUBLES = """#!%s
import base64, json, sys
import numpy as np
kinds = {"add_2": [1, 2], "add_8": [1, 8]}
say = lambda value: print(json.dumps(value), flush=True)
say({name: [{"x": [shape, "float32"]}, {"y": [shape, "float32"]}] for name, shape in kinds.items()})
for line in sys.stdin:
    asked = json.loads(line)
    x = asked["inputs"]["x"]
    assert x["shape"] == kinds[asked["name"]], x
    y = np.frombuffer(base64.b64decode(x["data"]), x["type"]) * 2
    if np.isnan(y).any():
        sys.exit("Error: a kernel failed")
    y = {**x, "data": base64.b64encode(y.tobytes()).decode()}
    say({"outputs": {"y": y}, "seconds": 0.5})
"""


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A `node` that doubles numbers."""
    program = tmp_path / "node"
    program.write_text(DOUBLES % sys.executable)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_what_is_missing(node, monkeypatch):
    assert missing() == ""
    monkeypatch.setenv("PATH", str(node / "cache"))
    assert missing() == "there is no node on this machine"


def test_litert_js_is_unpacked_once(node):
    folder = litertjs.unpacked()
    wasm = folder / "core" / "wasm" / "litert_wasm_internal.wasm"
    assert wasm.read_bytes().startswith(b"\0asm")
    assert (
        "@litertjs" not in (folder / "core" / "dist" / "index.js").read_text().split("import ")[1]
    )
    before = wasm.stat().st_mtime_ns
    assert litertjs.unpacked() == folder
    assert wasm.stat().st_mtime_ns == before


def test_a_process_is_a_runtime(node):
    model = LiteModel("model.tflite", runtime=NodeEngine)
    assert model.file.names == ["add"]
    for x in ([1.5], [1, 2, 3], list(range(8))):
        y = model(x=np.array([x], np.float32))["y"]
        np.testing.assert_array_equal(y, 2 * np.array([x], np.float32))
    assert model.file.engine.seconds == 0.5
    model.file.engine.close()


def test_the_last_words_of_a_process_that_ends(node):
    file = LiteFile("model.tflite", runtime=NodeEngine)
    for _ in range(2):
        with pytest.raises(
            ExportFailed, match=r"does not run model\.tflite: Error: a kernel failed"
        ):
            file.run("add", x=np.full([1, 2], np.nan, np.float32))


@pytest.mark.skipif(bool(missing()), reason=f"LiteRT.js is not asked: {missing()}")
def test_it_answers_as_the_interpreter_does(sentiment, records, tmp_path):
    path = sentiment.lite / "portable_dynamic.tflite"
    assert parity._runtimes(path) == ("interpreter", "compiled", litertjs.NAME)
    expected, found = (
        parity.ask_lite(sentiment.app, path, records, tmp_path, runtime)
        for runtime in ("interpreter", litertjs.NAME)
    )
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-5)
    fused = sentiment.lite / "dynamic.tflite"
    assert not flatbuffer.is_portable(fused.read_bytes())
    with pytest.raises(ExportFailed, match=r"LiteRT\.js does not run"):
        NodeEngine(str(fused))


@pytest.fixture
def records():
    return [{"text": b"a film"}, {"text": b"Ein wunderbarer Film, von Anfang bis Ende."}]
