"""A run folder: whose it is, and what lies in it."""

import dataclasses

import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.claim import claim
from rnnsuite.pipeline.run import Run, default_folder, read_config


def settings(app, *overrides):
    return configuration.load(app, "tiny", overrides)


def test_a_run_of_another_application_is_named(run, app):
    other = catalog.find("translation")
    claim(Run(other, run.folder), configuration.load(other, "tiny"))
    with pytest.raises(UserError, match="a run of translation, not of sentiment"):
        run.config()
    with pytest.raises(UserError, match="is no run"):
        read_config(run.folder.parent)


def test_history_metrics_and_health_come_back(run):
    run.folder.mkdir()
    assert (run.history(), run.metrics(), run.health(), run.calibration()) == ([], {}, [], {})
    rows = [{"epoch": 1.0, "loss": 0.1 + 0.2}, {"epoch": 2.0, "loss": 1e-17}]
    run.save_history(rows)
    run.save_metrics({"val_loss": 0.3})
    run.save_health([{"warnings": []}])
    run.save_calibration({"threshold": 0.5})
    assert run.history() == rows
    assert run.finished
    assert run.metrics() == {"val_loss": 0.3}
    assert run.health() == [{"warnings": []}]
    assert run.calibration() == {"threshold": 0.5}


def test_a_report_of_a_shorter_training_goes(run):
    run.folder.mkdir()
    (run.folder / "report.html").write_text("old")
    run.save_metrics({})
    assert not (run.folder / "report.html").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"vocabulary": 3}', '{"labels": ["a"]}'])
def test_damaged_fitted_values_are_named(run, content):
    run.folder.mkdir()
    (run.folder / "fitted.json").write_text(content)
    with pytest.raises(UserError, match=r"fitted\.json is damaged"):
        run.fitted()


def test_fitted_values_come_back(run, app):
    fitted = app.data.fitted(("[PAD]", "é"), ("neg", "pos"), True, 9)
    run.folder.mkdir()
    run.save_fitted(fitted)
    assert run.fitted() == fitted


def test_no_weights_yet(run, app):
    claim(run, settings(app))
    with pytest.raises(UserError, match=r"no trained weights yet\. Train it first: rnnsuite train"):
        run.trained()


def test_equal_settings_have_an_equal_folder(app):
    config = settings(app)
    folder = default_folder("sentiment", "tiny", config)
    assert folder.parts[:2] == ("runs", "sentiment")
    assert default_folder("sentiment", "tiny", settings(app, "tune.trials=9")) == folder
    assert default_folder("sentiment", "tiny", settings(app, "seed=1")) != folder
    changed = dataclasses.replace(config, seed=1)
    assert default_folder("sentiment", "tiny", changed) != folder
