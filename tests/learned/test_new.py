"""Each kind of application that `rnnsuite new` writes learns its own sample."""

import pytest

from rnnsuite import catalog, new
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.train.train import train

pytestmark = pytest.mark.learns
LEARNED = {
    "classification": ("accuracy", 0.9),
    "detection": ("f1", 0.9),
    "forecasting": ("mae", 0.5),
    "generation": ("exact_match", 0.9),
    "transcription": ("wer", 0.1),
}
"""Of each kind, a metric on test and its bound: at least, or at most of what is better when lower.
"""


def test_every_kind_is_here():
    assert sorted(LEARNED) == new.kinds()


@pytest.fixture(autouse=True)
def _forgotten():
    yield
    catalog.places.cache_clear()


@pytest.mark.parametrize("kind", LEARNED)
def test_it_learns_its_sample_and_passes_its_floor(kind, tmp_path, monkeypatch):
    name = f"learns_{kind}"
    new.write(name, kind, tmp_path / "folder")
    monkeypatch.setenv(catalog.FOLDERS, str(tmp_path / "folder"))
    catalog.places.cache_clear()
    app = catalog.find(name)
    train(app, configuration.load(app, "sample"), tmp_path / "run")
    evaluation = evaluate(app, tmp_path / "run", split="test")
    metric, bound = LEARNED[kind]
    sign = 1 if app.scoring.metrics[metric] == "max" else -1
    value = evaluation.score.metrics[metric]
    print(kind, value, evaluation.floor)
    assert sign * value > sign * bound
    assert sign * value > sign * evaluation.floor[metric]
