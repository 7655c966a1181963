"""Pages as they are written and served, without a browser."""

import http.client
import json
import shutil
import signal

import httpx
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
