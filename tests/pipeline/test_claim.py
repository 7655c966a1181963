"""Whose a run folder is, and what claims it."""

import pytest

from rnnsuite.core.errors import NotFinite, UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.claim import claim, locked


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("text,label\na,x\nb,y\n")
    return path


def settings(app, *overrides):
    return configuration.load(app, "tiny", overrides)


def trained(run, config):
    """A run in which something has been trained."""
    claim(run, config)
    run.checkpoints.mkdir()
    (run.checkpoints / "000000001.npz").touch()


def test_a_new_folder_is_claimed_and_claimed_again(run, app):
    trained(run, settings(app))
    claim(run, settings(app))
    assert run.config() == settings(app)


@pytest.mark.parametrize(
    "override", ["train.epochs=7", "train.strategy=mirrored", "tune.trials=3", "export.lite=[]"]
)
def test_what_binds_no_training_may_change(run, app, override):
    trained(run, settings(app))
    claim(run, settings(app, override))
    assert run.config() == settings(app, override)


@pytest.mark.parametrize("override", ["seed=3", "model.units=9", "data.max_tokens=9"])
def test_other_settings_are_refused_and_named(run, app, override):
    trained(run, settings(app))
    with pytest.raises(UserError, match=f"other settings.*{override.split('=')[0]}.*--fresh"):
        claim(run, settings(app, override))
    assert run.config() == settings(app)


def test_what_has_trained_nothing_claims_nothing(run, app):
    claim(run, settings(app))
    (run.folder / "fitted.json").write_text("{}")
    claim(run, settings(app, "model.units=9"))
    assert run.config().model.units == 9
    assert not (run.folder / "fitted.json").exists()


def test_fresh_begins_anew(run, app):
    trained(run, settings(app))
    claim(run, settings(app, "model.units=9"), fresh=True)
    assert run.config().model.units == 9
    assert not run.has_progress


def test_changed_data_are_named(run, app, table):
    config = settings(app, f"data.source={table}")
    trained(run, config)
    claim(run, config)
    table.write_text("text,label\na,y\nb,x\n")
    with pytest.raises(UserError, match=r"have changed since .*data\.csv.*--run.*--fresh"):
        claim(run, config)
    claim(run, config, fresh=True)


def test_a_run_of_an_earlier_version_has_no_fingerprint(run, app, table):
    config = settings(app, f"data.source={table}")
    trained(run, config)
    (run.folder / "data.json").unlink()
    table.write_text("other")
    claim(run, config)
    assert run.data()["files"]


@pytest.mark.parametrize("names", [["thesis.txt"], ["config.yaml"], ["config.yaml", "thesis.txt"]])
def test_a_folder_with_something_else_is_left_alone(run, names):
    run.folder.mkdir()
    for name in names:
        (run.folder / name).write_text("app: mine\n")
    with pytest.raises(UserError, match="neither empty nor a run"), locked(run):
        raise AssertionError("the folder is not ours")
    assert sorted(path.name for path in run.folder.iterdir()) == names


def test_what_a_kill_left_is_no_obstacle(run, app):
    run.folder.mkdir()
    (run.folder / ".part-17-config.yaml").write_text("half")
    with locked(run):
        claim(run, settings(app))
        assert run.config() == settings(app)


def fail_after(run, begin, config, error=ZeroDivisionError):
    with locked(run):
        begin(run, config)
        raise error


def test_a_start_that_fails_leaves_no_folder(run, app):
    with pytest.raises(ZeroDivisionError):
        fail_after(run, claim, settings(app))
    assert not run.folder.exists()


@pytest.mark.parametrize(("error", "stays"), [(NotFinite, True), (KeyboardInterrupt, False)])
def test_only_weights_that_were_rescued_stay_without_a_checkpoint(run, app, error, stays):
    def begin(run, config):
        claim(run, config)
        run.weights.touch()

    with pytest.raises(error):
        fail_after(run, begin, settings(app), error)
    assert run.weights.is_file() == run.folder.exists() == stays


def test_what_was_trained_stays_when_it_fails_later(run, app):
    with pytest.raises(ZeroDivisionError):
        fail_after(run, trained, settings(app))
    assert run.config() == settings(app)


def test_one_process_at_a_time(run, app):
    with (
        locked(run),
        pytest.raises(UserError, match="Another process is training in"),
        locked(run),
    ):
        raise AssertionError("two in one folder")
