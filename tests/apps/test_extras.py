"""Extras that are not installed are noticed before work begins."""

import subprocess
import sys

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.export.release import release
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.train.train import train
from rnnsuite.pipeline.tune.tune import tune
from tests.conftest import ROOT

APP = catalog.find("captioning")


@pytest.fixture
def without(monkeypatch):
    """Nothing can be read, and pycocoevalcap is not there."""
    monkeypatch.setitem(sys.modules, "pycocoevalcap", None)
    monkeypatch.setattr(configuration.Schema, "upgrade", lambda *_: pytest.fail("work has begun"))


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: train(APP, configuration.load(APP, "tiny"), folder / "run"),
        lambda folder: tune(APP, configuration.load(APP, "tiny"), folder / "search"),
        lambda folder: evaluate(APP, folder / "run"),
        lambda folder: release(APP, folder / "run", folder / "models"),
    ],
    ids=["train", "tune", "evaluate", "export"],
)
def test_what_scores_captions(without, work, tmp_path):
    with pytest.raises(UserError, match=r"pip install 'rnnsuite\[captions\]'"):
        work(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_microphone_of_the_script_that_travels():
    program = (
        "import runpy, sys; sys.modules['sounddevice'] = None\n"
        "script = runpy.run_path(sys.argv[1])\n"
        "next(script['microphone']())\n"
    )
    script = ROOT / "apps" / "speech_commands" / "on_device.py"
    command = [sys.executable, "-c", program, str(script)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("The microphone needs sounddevice")
    assert "Traceback" not in done.stderr
