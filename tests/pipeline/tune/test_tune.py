"""Searches through the real command, one of them killed."""

import json
import pathlib

import pytest
from click.testing import CliRunner

from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train.train import train
from rnnsuite.pipeline.tune.tune import tune
from tests.processes import start, wait


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


@pytest.mark.parametrize("algorithm", ["bayesian", "hyperband"])
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


@pytest.fixture
def searched(app, source, tmp_path):
    """A search with one trial of one epoch: its data, settings, folder and result."""
    path = tmp_path / "data.csv"
    path.write_bytes(source.read_bytes())
    config = settings(app, path, "tune.trials=1", "train.epochs=1")
    return path, config, tmp_path / "search", tune(app, config, tmp_path / "search")


def test_a_search_is_bound_to_settings_and_data(app, searched):
    path, config, folder, _ = searched
    with pytest.raises(UserError, match=r"other settings \(model\.embedding\).*--fresh"):
        tune(app, configuration.replace(app, config, {"model.embedding": 7}), folder)
    path.write_text(path.read_text().replace("number 3", "number three"))
    with pytest.raises(UserError, match=r"have changed since .*data\.csv.*--fresh"):
        tune(app, config, folder)
    assert tune(app, config, folder, fresh=True)["trials"] == 1


def test_a_search_leaves_a_table_a_report_and_hyperparameters(searched):
    _, config, folder, result = searched
    (row,) = result["table"]
    assert row.keys() == {"trial", "val_loss", *config.tune.space}
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
