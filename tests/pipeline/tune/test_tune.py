"""Searches through the real command, one of them killed."""

import json
import pathlib

import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.export import searched as searched_record
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.settings import Range
from rnnsuite.pipeline.train.train import train
from rnnsuite.pipeline.tune.record import importance
from rnnsuite.pipeline.tune.tune import tune
from tests.processes import start, wait
from tests.thorough import thorough


@pytest.fixture(scope="module")
def app(bag):
    return bag


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "r.csv"
    rows = "".join(
        f"{word} film number {n},{word}\n" for n in range(30) for word in ("good", "bad")
    )
    path.write_text("text,label\n" + rows)
    return path


SPACE = (
    "tune.space={model.units: {choice: [4, 8]}, train.learning_rate: {range: [0.001, 0.1], "
    "log: true}}"
)


def overrides(source, *more):
    small = (
        "train.epochs=1",
        "train.batch_size=16",
        "train.boundaries=[64]",
        "data.validation=0.3",
        "data.vocabulary_size=100",
    )
    return [
        f"data.source={source}",
        *small,
        SPACE,
        "tune.objective=val_loss",
        "train.monitor=val_loss",
        *more,
    ]


def settings(app, source, *more):
    return configuration.load(app, "sample", overrides(source, *more))


def finished(folder):
    return sorted(path.parent.name for path in folder.glob("trials/*/metrics.json"))


def test_killed_after_the_second_trial_goes_on_without_repeating(app, source, tmp_path):
    folder = tmp_path / "search"
    sets = [word for each in overrides(source) for word in ("--set", each)]
    words = ["tune", "bag", "--json", "--run", str(folder), "--trials", "4", *sets]
    log = tmp_path / "log"
    process = start(words, log)
    wait(lambda: len(finished(folder)) >= 2 or process.poll() is not None, log)
    process.kill()
    process.wait()
    before = {
        name: (folder / "trials" / name / "metrics.json").stat().st_mtime_ns
        for name in finished(folder)
    }
    assert 2 <= len(before) < 4
    # The same command, in this process, which has TensorFlow already.
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert len(finished(folder)) == result["trials"] == 4
    for name, changed in before.items():
        assert (folder / "trials" / name / "metrics.json").stat().st_mtime_ns == changed
    assert len(list(folder.glob("trials/*/best.weights.h5"))) == 1
    best = configuration.load(app, folder / "best.yaml")
    assert train(app, best, tmp_path / "again")["val_loss"] == result["val_loss"]
    scores = [Run(app, folder / "trials" / name).metrics()["val_loss"] for name in finished(folder)]
    assert result["val_loss"] == min(scores)


@pytest.mark.parametrize("algorithm", ["hyperband", *thorough("bayesian")])
def test_algorithms(app, source, tmp_path, algorithm):
    changes = [f"tune.algorithm={algorithm}", "tune.trials=3", "tune.keep=2", "train.epochs=2"]
    config = settings(app, source, *changes)
    result = tune(app, config, tmp_path)
    assert pathlib.Path(result["best"]).is_file()
    assert result["settings"].keys() == config.tune.space.keys()
    assert len(list(tmp_path.glob("trials/*/best.weights.h5"))) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("tune.objective=val_acuracy", "tune.objective.*Did you mean val_accuracy"),
        ("tune.space={}", "tune.space is empty"),
        ("tune.space={model.unitz: {range: [4, 64]}}", r"model\.unitz: unknown key.*model\.units"),
        ("tune.space={model.units: {range: [0, 64]}}", r"model\.units: 0 given"),
        ("tune.space={tune.trials: {range: [1, 64]}}", "cannot be searched"),
    ],
)
def test_mistakes_are_found_before_the_first_trial(app, source, tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        tune(app, settings(app, source, change), tmp_path / "search")
    assert not (tmp_path / "search").exists()


@pytest.fixture(scope="module")
def searched(app, source, tmp_path_factory):
    """A search with one trial of one epoch: its data, settings, folder and result."""
    place = tmp_path_factory.mktemp("searched")
    path = place / "data.csv"
    path.write_bytes(source.read_bytes())
    config = settings(app, path, "tune.trials=1", "train.epochs=1")
    return path, config, place / "search", tune(app, config, place / "search")


def test_a_search_leaves_a_table_a_report_and_hyperparameters(searched):
    _, config, folder, result = searched
    (row,) = result["table"]
    assert row.keys() == {"trial", "val_loss", *config.tune.space, "epochs", "minutes"}
    assert row["val_loss"] == result["val_loss"]
    page = (folder / "report.html").read_text()
    assert "Trials" in page
    assert "train.learning_rate" in page
    events = next((folder / "trials" / "0" / "events" / "validation").iterdir())
    content = b"".join(path.read_bytes() for path in events.parent.iterdir())
    assert b"_hparams_/session_start_info" in content
    # Train and validation have the same names, so that TensorBoard shows them in one chart.
    for split in ("train", "validation"):
        written = b"".join(path.read_bytes() for path in (events.parent.parent / split).iterdir())
        assert b"accuracy" in written
        assert b"val_accuracy" not in written.replace(b"best/val_", b"")


@pytest.mark.thorough
def test_a_search_that_trained_nothing_claims_nothing(app, source, tmp_path):
    (tmp_path / "search.json").write_text('{"tune": {"other": 1}}')
    config = settings(app, source, "tune.trials=1", "train.epochs=1")
    assert tune(app, config, tmp_path)["trials"] == 1


@pytest.mark.parametrize(
    ("row", "said"), [("x,\n", "line 62: no label"), ("x,y,z\n", "more cells")]
)
def test_a_mistake_in_the_data_is_told_before_the_first_trial(app, source, tmp_path, row, said):
    path = tmp_path / "bad.csv"
    path.write_text(source.read_text() + row)
    with pytest.raises(UserError, match=said):
        tune(app, settings(app, path), tmp_path / "search")
    assert not (tmp_path / "search").exists()


def test_the_first_trial_is_by_hand(app, searched):
    """So that the record says whether the search found something better."""
    _, config, folder, result = searched
    (row,) = result["table"]
    assert row["model.units"] == config.model.units
    assert row["train.learning_rate"] == config.train.learning_rate
    record = json.loads((folder / "record.json").read_text())
    assert record["by hand"] == row["val_loss"]
    assert "no trial was better than the settings by hand" in (folder / "record.md").read_text()


def test_settings_outside_of_the_space_are_not_tried(app, source, tmp_path):
    config = settings(app, source, "tune.trials=1", "model.units=16")
    (row,) = tune(app, config, tmp_path)["table"]
    assert row["model.units"] in (4, 8)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["by hand"] is None


def test_it_ends_with_its_hours_and_goes_on_with_more(app, source, tmp_path):
    first = tune(app, settings(app, source, "tune.trials=2", "tune.hours=1e-9"), tmp_path)
    assert first["trials"] == 1  # begun, and ended after its first epoch
    more = tune(app, settings(app, source, "tune.trials=2", "tune.hours=1"), tmp_path)
    assert more["trials"] == 2
    assert more["table"] != first["table"]
    spent = json.loads((tmp_path / "spent.json").read_text())["seconds"]
    assert spent == pytest.approx(3600 * more["hours"], abs=18)


@pytest.mark.thorough
def test_trials_take_a_share_and_what_is_found_takes_all(app, source, tmp_path):
    tune(app, settings(app, source, "tune.trials=1", "tune.share=0.5"), tmp_path)
    run = Run(app, tmp_path / "trials" / "0")
    record = json.loads((tmp_path / "record.json").read_text())
    whole = tmp_path / "whole"
    train(app, configuration.load(app, tmp_path / "best.yaml"), whole)
    counts = [Run(app, each).data()["splits"]["train"]["examples"] for each in (run.folder, whole)]
    assert counts[0] == record["splits"]["train"] == counts[1] // 2


@pytest.mark.thorough
def test_trials_that_others_beat_end_early(app, source, tmp_path):
    """The rate that learns nothing, after three that learn."""
    space = "tune.space={train.learning_rate: {choice: [0.05, 0.04, 0.03, 0.02, 1.0e-9, 2.0e-9]}}"
    how = ("train.epochs=3", "tune.trials=6", "tune.stopping=median", "tune.algorithm=random")
    config = settings(app, source, *how, space)
    result = tune(app, config, tmp_path)
    epochs = {row["train.learning_rate"]: row["epochs"] for row in result["table"]}
    assert len(epochs) == 6
    assert min(epochs.values()) < 3
    assert all(count == 3 for rate, count in epochs.items() if rate >= 0.04)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["trials that ended early"] == sum(count < 3 for count in epochs.values())


def test_its_record_goes_with_a_release(app, searched, tmp_path):
    _, _, folder, result = searched
    run = Run(app, pathlib.Path(result["run"]))
    target = tmp_path / "bag" / "search" / "1"
    target.mkdir(parents=True)
    card = searched_record.publish(folder, run, target)
    assert {path.name for path in target.iterdir()} == set(searched_record.RECORD)
    assert card["trials"] == 1
    assert card["other settings in this run"] == []
    other = configuration.replace(app, run.config(), {"seed": 3})
    train(app, other, tmp_path / "other")
    card = searched_record.publish(folder, Run(app, tmp_path / "other"), target)
    assert card["other settings in this run"] == ["seed"]
    with pytest.raises(UserError, match="no finished search"):
        searched_record.publish(tmp_path, run, target)


def test_importance_is_that_of_what_matters():
    space = {"a": Range(range=(0, 9)), "b": Range(choice=("x", "y"))}
    table = [{"a": a, "b": b, "val_loss": a * 1.0} for a in range(10) for b in ("x", "y")]
    found = importance(table, "val_loss", space)
    assert found["a"] > 0.9
    assert sum(found.values()) == pytest.approx(1, abs=0.01)
    assert importance(table[:5], "val_loss", space) == {}
    assert importance([{**row, "val_loss": 1.0} for row in table], "val_loss", space) == {}


@pytest.mark.thorough
def test_no_settings_are_tried_twice(app, source, tmp_path):
    """keras-tuner's Bayesian search would, once its optimum is one of few choices."""
    space = "tune.space={model.units: {choice: [2, 4, 8, 16, 32]}}"
    result = tune(app, settings(app, source, "tune.trials=9", space), tmp_path)
    tried = [row["model.units"] for row in result["table"]]
    assert sorted(tried) == [2, 4, 8, 16, 32]


def test_a_search_is_bound_to_settings_and_data(app, searched):
    """The last one, for it writes over what the others read."""
    path, config, folder, _ = searched
    with pytest.raises(UserError, match=r"other settings \(model\.embedding\).*--fresh"):
        tune(app, configuration.replace(app, config, {"model.embedding": 7}), folder)
    path.write_text(path.read_text().replace("number 3", "number three"))
    with pytest.raises(UserError, match=r"have changed since .*data\.csv.*--fresh"):
        tune(app, config, folder)
    assert tune(app, config, folder, fresh=True)["trials"] == 1
