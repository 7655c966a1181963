"""The trained sample model asked in every way."""

import io
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from apps.captioning import serve
from apps.captioning.sample import render, scenes
from rnnsuite.cli.main import main
from rnnsuite.core.errors import Refused, UserError
from rnnsuite.data.records import collect
from rnnsuite.pipeline.export import parity
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.run import Run
from tests.conftest import train_and_export

SCENES = list(itertools.islice(scenes("test"), 12))


def encoded(pixels, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


PICTURES = [encoded(render(scene)) for scene in SCENES]


@pytest.fixture(scope="module")
def captioning(tmp_path_factory, _cache):
    return train_and_export("captioning", tmp_path_factory)


@pytest.fixture(scope="module")
def served(captioning):
    return captioning.open("saved_model")


def ask(model, *contents, signature="serving_default", **options):
    return model.answer([{"image": content} for content in contents], signature, options)


def test_pictures_of_different_sizes_and_kinds_alone_and_in_a_batch(captioning, monkeypatch):
    """Through the C++ loader, which TF Serving runs."""
    wide = np.asarray(Image.fromarray(render(SCENES[2])).resize((300, 180)))
    mixed = [
        PICTURES[0],
        encoded(wide, "JPEG"),
        encoded(render(SCENES[3])[:1, :1], "BMP"),
        PICTURES[1],
    ]
    records = [{"image": content} for content in mixed]
    together = parity.ask_saved_model(captioning.saved_model, records, ["caption", "score"])
    monkeypatch.setattr(parity, "BATCH", 1)
    alone = parity.ask_saved_model(captioning.saved_model, records, ["caption", "score"])
    assert alone["caption"].tolist() == together["caption"].tolist()
    np.testing.assert_allclose(alone["score"], together["score"], atol=1e-4)
    expected = captioning.open("run").answer(records)
    assert together["caption"].tolist() == expected["caption"].tolist()


@pytest.mark.parametrize("content", [b"", b"a text", PICTURES[0][:90]])
def test_what_is_no_picture_is_refused(served, content):
    before = ask(served, PICTURES[0])
    with pytest.raises(Refused):
        ask(served, PICTURES[0], content)
    assert ask(served, PICTURES[0])["score"] == before["score"]  # and the next one is answered


def test_attention_lies_over_the_picture(served):
    found, best = ask(served, *PICTURES, signature="attend"), ask(served, *PICTURES)
    assert found["caption"].tolist() == best["caption"].tolist()
    for words, maps, caption in zip(found["words"], found["maps"], found["caption"], strict=True):
        there = np.array([word not in (b"", b"</s>") for word in words])
        assert (
            "".join(word.decode() for word in words[there]).replace("▁", " ").strip()
            == caption.decode()
        )
        assert maps.shape[1:] == (8, 8)
        np.testing.assert_allclose(maps[there].sum(axis=(1, 2)), 1, atol=1e-4)
        assert np.all(maps[words == b""] == 0)


def test_the_files_beside_the_device_model_are_enough(captioning):
    """A process with ai-edge-litert and numpy, in the moved folder, with nothing of ours, from raw
    pixels.
    """
    program = (
        "import sys, json, pathlib\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from tokenizer import Tokenizer\n"
        "from resize import resize\n"
        "from writer import LiteWriter\n"
        "import numpy as np\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "settings = json.loads((folder / 'decode.json').read_text())\n"
        "words = Tokenizer.load(folder / settings['target'], settings['max_tokens'])\n"
        "writer = LiteWriter(str(folder / 'float32.tflite'))\n"
        "for pixels in np.load(sys.argv[2]):\n"
        "    print(words.text(writer(image=resize(pixels, settings['size']))['ids'][0].tolist()))\n"
        "assert not {'tensorflow', 'keras', 'rnnsuite', 'apps'} & set(sys.modules)\n"
    )
    place = captioning.lite.parent / "pixels.npy"
    np.save(place, np.stack([render(scene) for scene in SCENES]))
    command = [sys.executable, "-I", "-c", program, str(captioning.lite), str(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = ask(captioning.open("run"), *PICTURES, signature="greedy")["caption"]
    assert done.stdout.splitlines() == [caption.decode() for caption in expected]


def test_an_int8_encoder(captioning, tmp_path):
    """int8 convolutions, and what is written is nearly the same."""
    from ai_edge_litert.interpreter import Interpreter

    from rnnsuite.pipeline.export import lite

    device = captioning.app.serving.device.open(captioning.lite)
    settings = data_section(captioning.app, captioning.run, None)
    records = collect(captioning.app.data.load(settings, "validation"), 60)
    for path in captioning.lite.glob("*.*"):
        if path.suffix != ".tflite":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    lite.convert(
        Run(captioning.app, captioning.run),
        tmp_path,
        ["int8"],
        [device.request(record) for record in records],
    )
    expected = captioning.open("run").answer(records, "greedy")
    found = parity.ask_lite(captioning.app, tmp_path / "int8.tflite", records, tmp_path)
    metrics = [
        captioning.app.scoring.score(records, answers).metrics["bleu_4"]
        for answers in (expected, found)
    ]
    assert metrics[1] > metrics[0] - 0.1
    sizes = [
        path.stat().st_size
        for path in (tmp_path / "int8.tflite", captioning.lite / "float32.tflite")
    ]
    assert sizes[0] < sizes[1]
    details = Interpreter(str(tmp_path / "int8.tflite"))._get_ops_details()
    assert "CONV_2D" in {each["op_name"] for each in details}


def test_from_the_shell(captioning, tmp_path):
    (tmp_path / "scene.png").write_bytes(PICTURES[0])
    (tmp_path / "broken.jpg").write_bytes(PICTURES[0][:80])
    command = ["predict", "captioning", "--model", str(captioning.saved_model), "--json"]
    done = CliRunner().invoke(main, [*command, str(tmp_path / "scene.png")])
    assert done.exit_code == 0
    expected = ask(captioning.open("run"), PICTURES[0])["caption"][0].decode()
    assert json.loads(done.stdout)["answers"][0]["caption"] == expected
    refused = CliRunner().invoke(main, [*command, str(tmp_path / "broken.jpg")])
    assert refused.exit_code == 2
    assert "broken.jpg: not a picture that can be read" in refused.output


def test_requests_name_what_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"absent\.png: there is no such file"):
        serve.image_files.read(tmp_path / "absent.png")
