"""Pages as they are written and served, without a browser."""

import http.client
import io
import json
import shutil
import signal
import subprocess

import httpx
import numpy as np
import pytest

from rnnsuite import demo
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from tests.conftest import RELEASED, ROOT
from tests.demo.browser import served
from tests.processes import start, wait

MODELS = ROOT / "saved_models"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "pages"
    demo.write(demo.pages(MODELS, ["event_detection", "speech_commands"]), folder)
    return folder


def test_every_released_model_has_a_page():
    pages = demo.pages(MODELS)
    assert [page.app for page in pages] == RELEASED
    assert all(page.title and page.summary.endswith(".") and page.card for page in pages)


def test_what_a_page_needs_lies_beside_it(site):
    html = (site / "event_detection.html").read_text()
    assert "Event detection" in html
    assert "HAPT" in html
    assert 'data-file="dynamic.tflite"' in html
    assert "://" not in html
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {
        "index.html",
        "pages/event_detection.mjs",
        "web/main.mjs",
        "device/runner.mjs",
        "litert/core/wasm/litert_wasm_internal.wasm",
        "models/event_detection/dynamic.tflite",
        "models/event_detection/detect.json",
        "models/speech_commands/portable_dynamic.tflite",
    } <= files
    assert not [name for name in files if name.endswith((".py", ".gz"))]
    assert "models/event_detection/float32.tflite" not in files
    index = (site / "index.html").read_text()
    assert "event_detection.html" in index
    assert "speech_commands.html" in index


def test_modules_import_only_what_is_there(site):
    for path in site.rglob("*.mjs"):
        for line in path.read_text().splitlines():
            if line.startswith(("import ", "} from ")) and " from " in line:
                name = line.rpartition(" from ")[2].strip("';\"")
                assert (path.parent / name).is_file(), (path, name)


def test_browsers_keep_files_and_ask_whether_they_changed(site):
    with served(site) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        for name, kind in (
            ("index.html", "text/html"),
            ("web/main.mjs", "text/javascript"),
            ("litert/core/wasm/litert_wasm_internal.wasm", "application/wasm"),
        ):
            connection.request("GET", f"/{name}")
            response = connection.getresponse()
            assert response.status == 200
            assert response.headers["Content-Type"] == kind
            assert response.headers["Cache-Control"] == "no-cache"
            assert response.read() == (site / name).read_bytes()
            modified = {"If-Modified-Since": response.headers["Last-Modified"]}
            connection.request("GET", f"/{name}", headers=modified)
            response = connection.getresponse()
            assert (response.status, response.read()) == (304, b"")


def test_what_cannot_be_shown_is_said(tmp_path, caplog, site):
    with pytest.raises(UserError, match="There is no folder"):
        demo.pages(tmp_path / "none")
    with pytest.raises(UserError, match="no model that runs in a browser"):
        demo.pages(tmp_path)
    with pytest.raises(UserError, match=r"no application 'sentimant'\. Did you mean sentiment"):
        demo.pages(MODELS, ["sentimant"])
    with pytest.raises(UserError, match=r"has no \.tflite files"):
        demo.pages(tmp_path, ["sentiment"])
    fused = tmp_path / "sentiment" / "lite" / "1"
    shutil.copytree(MODELS / "sentiment" / "lite" / "1", fused)
    with pytest.raises(UserError, match=r"that browsers run: .* sentiment --lite portable"):
        demo.pages(tmp_path, ["sentiment"])
    shutil.copytree(MODELS / "forecasting" / "lite", tmp_path / "forecasting" / "lite")
    assert [page.app for page in demo.pages(tmp_path)] == ["forecasting"]
    assert "no file that browsers run" in caplog.text
    with pytest.raises(UserError, match=r"pages exists\. Choose another folder"):
        demo.write(demo.pages(tmp_path), site)


def test_a_port_that_is_taken(site):
    with served(site) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(UserError, match=f"Port {port} cannot be had: Address already in use"):
            demo.server(site, port)


def test_a_card_without_fields_is_shown(tmp_path):
    """Those of version 0.1.0 have none."""
    folder = tmp_path / "forecasting" / "lite" / "1"
    shutil.copytree(MODELS / "forecasting" / "lite" / "1", folder)
    card = json.loads((folder / "model_card.json").read_text())
    del card["fields"], card["licence"]
    (folder / "model_card.json").write_text(json.dumps(card))
    demo.write(demo.pages(tmp_path), tmp_path / "pages")
    assert "trained on" in (tmp_path / "pages" / "forecasting.html").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_from_the_shell_pages_are_served_until_it_is_told_to_stop(tmp_path, number):
    log = tmp_path / "log"
    words = ["demo", "event_detection", "--models", MODELS, "--port", "0", "--no-browser"]
    process = start(words, log, TMPDIR=str(tmp_path))
    printed = tmp_path / "log.out"
    wait(lambda: printed.exists() and "Ctrl-C" in printed.read_text(), log)
    address = printed.read_text().split()[0]
    assert "Event detection" in httpx.get(address + "event_detection.html").text
    assert httpx.get(address + "translation.html").status_code == 404
    process.send_signal(number)
    assert process.wait(30) == 0
    assert not list(tmp_path.glob("tmp*"))


def test_from_the_shell_pages_are_written(tmp_path, capsys):
    main(
        ["demo", "event_detection", "--models", str(MODELS), "--to", str(tmp_path / "pages")],
        standalone_mode=False,
    )
    assert "1 of them, for any web server" in capsys.readouterr().out
    assert (tmp_path / "pages" / "event_detection.html").is_file()


@pytest.fixture
def in_page(site):
    """`answer(value)` of a module of the pages, asked by node."""
    if shutil.which("node") is None:
        pytest.skip("there is no node here")

    def ask(program, value):
        script = f"{program}\nlet text = '';\nfor await (const p of process.stdin) text += p;\n"
        script += "process.stdout.write(JSON.stringify(answer(JSON.parse(text))));\n"
        command = ["node", "--input-type=module", "-e", script]
        options = {"capture_output": True, "text": True, "cwd": site / "web"}
        done = subprocess.run(command, input=json.dumps(value), **options)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_microphone_of_any_rate_is_heard_at_16_khz(in_page, rate):
    """Piece by piece, without a seam: late by 10 ms, where it is not 16 kHz already."""
    program = """import {Resampler} from './microphone.mjs';
const answer = ([rate, samples]) => {
  const resampler = new Resampler(rate);
  const found = [];
  for (let n = 0; n < samples.length; n += 128) {
    found.push(...resampler.feed(Float32Array.from(samples.slice(n, n + 128))));
  }
  return found;
};"""
    samples = np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    found = np.array(in_page(program, [rate, samples.tolist()]))
    late = 0 if rate == 16_000 else 160
    expected = np.sin(2 * np.pi * 440 * (np.arange(len(found)) + late) / 16_000)
    assert len(found) > 15_000
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_numbers_as_people_paste_them(in_page):
    program = """import {rows} from './numbers.mjs';
const answer = (asked) => asked.map(([text, width]) => {
  try {
    return rows(text, width).map((row) => row.map((x) => Number.isNaN(x) ? null : x));
  } catch (error) {
    return error.message;
  }
});"""
    asked = {
        ("1,2\n3,4\n", 2): [[1, 2], [3, 4]],
        ("time;value\r\n1;2.5\r\n", 2): [[1, 2.5]],
        ("# said\n1\t,\t2\n\n-3e2 4", 0): [[1, 2], [-300, 4]],
        ("1,\n,nan", 2): [[1, None], [None, None]],
        ("", 0): "There are no numbers yet.",
        ("a\nb", 0): "There are no numbers yet.",
        ("1\nb", 0): 'Line 2: "b" is no number.',
        ("1,2,3", 2): "Line 1 has 3 numbers, not 2.",
    }
    assert in_page(program, list(asked)) == list(asked.values())


def test_arrays_of_numpy(in_page):
    program = """import {readNpy} from './numbers.mjs';
const answer = (files) => files.map((bytes) => {
  try {
    return readNpy(Uint8Array.from(bytes));
  } catch (error) {
    return error.message;
  }
});"""

    def content(array):
        stream = io.BytesIO()
        np.save(stream, array)
        return list(stream.getvalue())

    values = np.arange(6).reshape(2, 3) / 4
    files = [content(values), content(values.astype(np.float32))]
    others = [content(values.astype(int)), content(values.T), content(values[0]), files[0][:150]]
    found = in_page(program, [*files, *others, [1, 2, 3]])
    assert found[:2] == [values.tolist()] * 2
    assert all("Only arrays [frames, numbers]" in message for message in found[2:5])
    assert found[5:] == ["This .npy file is cut short.", "This is no .npy file."]
