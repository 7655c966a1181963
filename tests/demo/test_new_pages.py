"""Every kind of application that `rnnsuite new` writes has a page that answers as Python does."""

import base64

import numpy as np
import pytest

from rnnsuite import catalog, demo, new
from rnnsuite.device import wave
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.export.release import release
from rnnsuite.pipeline.inference.models import open_model
from rnnsuite.pipeline.train.train import train
from tests.demo.browser import Browser, missing, served

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(bool(missing()), reason=missing())]
SERIES = np.random.default_rng(0).normal(size=[40, 2]).astype(np.float32)
SOUND = (0.3 * np.sin(np.arange(16_000) * 0.3)).astype(np.float32)
GIVEN = {
    "classification": ({"series": SERIES}, "v[0]", SERIES.tolist()),
    "detection": ({"series": SERIES}, "v[0]", SERIES.tolist()),
    "forecasting": ({"series": SERIES}, "v[0]", SERIES.tolist()),
    "generation": ({"text": "3 March 2024"}, "v[0]", "3 March 2024"),
    "transcription": (
        {"audio": wave.write(SOUND)},
        "new Float32Array(Uint8Array.from(atob(v[0]), c => c.charCodeAt(0)).buffer)",
        base64.b64encode(wave.read(wave.write(SOUND))[0].astype("<f4").tobytes()).decode(),
    ),
}
"""Of each kind a record, and how a page is asked for the same."""


def test_pages_of_every_kind(tmp_path, monkeypatch):
    names = {kind: f"paged_{kind}" for kind in new.kinds()}
    for kind, name in names.items():
        new.write(name, kind, tmp_path / "folder")
    monkeypatch.setenv(catalog.FOLDERS, str(tmp_path / "folder"))
    catalog.places.cache_clear()
    for name in names.values():
        app = catalog.find(name)
        train(app, configuration.load(app, "tiny"), tmp_path / name)
        release(app, tmp_path / name, tmp_path / "models")
    pages = demo.pages(tmp_path / "models")
    demo.write(pages, tmp_path / "pages")
    files = {page.app: page.file for page in pages}
    with served(tmp_path / "pages") as address:
        browser = Browser(address)
        for kind, name in names.items():
            record, expression, value = GIVEN[kind]
            browser.open(name)
            answer = browser.ask(expression, value)
            file = tmp_path / "models" / name / "lite" / "1" / files[name]
            expected = open_model(catalog.find(name), file).answer([record])
            for key in ("probabilities", "low", "median", "high"):
                if key in expected:
                    np.testing.assert_allclose(answer[key], expected[key][0], atol=1e-4)
            if "text" in expected:
                assert answer["text"] == expected["text"][0].decode()
            if kind == "detection":
                assert len(answer["events"]) == sum(np.max(expected["event"][0], axis=0))
        assert browser.errors() == []
        browser.close()
    catalog.places.cache_clear()
