"""Training through the real command, killed and damaged on the way."""

import csv
import json
import os
import re
import shutil
import signal

import numpy as np
import pytest
from click.testing import CliRunner

from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.errors import NotFinite, UserError
from rnnsuite.data import sources
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import checkpoint, loop
from rnnsuite.pipeline.train.train import train
from tests.processes import start, wait
from tests.thorough import thorough

APP = catalog.find("sentiment")
# One width of batches: few shapes are compiled.
SMALL = [
    "train.epochs=2",
    "train.batch_size=16",
    "train.ema=0.9",
    "train.checkpoint_minutes=0.002",
    "model.units=16",
    "model.bidirectional=false",
    "train.boundaries=[128]",
    "data.splits={train: 'train[:640]', validation: 'validation[:160]'}",
]


@pytest.fixture(scope="module", autouse=True)
def _enough_records():
    """To be killed between checkpoints."""
    patch = pytest.MonkeyPatch()
    patch.setenv(sources.FIRST, "640")
    yield
    patch.undo()


def words(run, *extra):
    sets = [word for each in (*SMALL, *extra) for word in ("--set", each)]
    return ["train", "sentiment", "--json", "--run", str(run), *sets]


def finish_here(run, *extra):
    """The same command in this process, which has TensorFlow already."""
    return CliRunner().invoke(main, words(run, *extra), catch_exceptions=False)


def end_in_mid_epoch(run, number, after):
    """Sends a training a signal when there is a checkpoint behind (epoch, step)."""
    log = run.with_name(f"signal{number}")
    process = start(words(run), log)

    def is_behind():
        assert process.poll() is None, log.read_text()[-3000:]
        stored = checkpoint.load(run / "checkpoints")
        return stored and (stored[1]["epoch"], stored[1]["step"]) > after

    wait(is_behind, log)
    process.send_signal(number)
    return process.wait(), log.read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    return run, json.loads(finish_here(run).stdout)


def weights(run):
    return checkpoint.load(run / "checkpoints")[0]


def test_interrupted_killed_and_resumed_equals_uninterrupted(whole, tmp_path):
    run, metrics = whole
    status, said = end_in_mid_epoch(tmp_path / "run", signal.SIGINT, after=(0, 5))
    assert status == 130
    step = int(re.search(r"saved at epoch 1, step (\d+) of 40; the same command", said)[1])
    # What is promised is there.
    stored = checkpoint.load(tmp_path / "run" / "checkpoints")[1]
    assert (stored["epoch"], stored["step"]) == (0, step)
    status, said = end_in_mid_epoch(tmp_path / "run", signal.SIGKILL, after=(0, step))
    assert status == -signal.SIGKILL
    assert f"at epoch 1, step {step}" in said
    assert not (tmp_path / "run" / "metrics.json").exists()
    resumed = json.loads(finish_here(tmp_path / "run").stdout)
    ignored = ("run", "report")
    assert {k: v for k, v in resumed.items() if k not in ignored} == {
        k: v for k, v in metrics.items() if k not in ignored
    }
    for found, expected in zip(weights(tmp_path / "run"), weights(run), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_damaged_checkpoint_falls_back_and_ends_the_same(whole, tmp_path):
    run, metrics = whole
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "metrics.json").unlink()
    newest = sorted((copy / "checkpoints").glob("*.npz"))[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = json.loads(finish_here(copy).stdout)
    assert resumed["val_loss"] == metrics["val_loss"]


def test_a_finished_run_is_not_trained_again(whole):
    run, metrics = whole
    before = (run / "best.weights.h5").stat().st_mtime_ns
    assert json.loads(finish_here(run).stdout)["val_loss"] == metrics["val_loss"]
    assert (run / "best.weights.h5").stat().st_mtime_ns == before


def test_standard_output_is_one_json_object_and_history_is_complete(whole):
    run, metrics = whole
    assert metrics["epochs"] == 2
    with open(run / "history.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[0].keys() >= {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "gradient_norm",
    }
    assert 0 < float(rows[0]["compile_seconds"]) < float(rows[0]["seconds"])
    assert list((run / "events").iterdir())
    assert "<h1>sentiment" in (run / "report.html").read_text()


def test_other_settings_in_the_same_folder_are_refused(whole):
    run, _ = whole
    done = finish_here(run, "model.units=24")
    assert done.exit_code == 2
    assert "model.units" in done.stderr
    assert "Traceback" not in done.stderr


def table(tmp_path, rows):
    path = tmp_path / "r.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


PLAIN = ("train.epochs=1", "data.validation=0.3")


def settings(app, path, *overrides):
    return configuration.load(app, "sample", [f"data.source={path}", *PLAIN, *overrides])


THREE = [(f"{word} film number {n}", word) for n in range(30) for word in ("good", "bad", "odd")]


@pytest.fixture(scope="module")
def three(bag, tmp_path_factory):
    """A table of three classes, a run that was trained on it, and its metrics."""
    folder = tmp_path_factory.mktemp("three")
    path = table(folder, THREE)
    return path, folder / "run", train(bag, settings(bag, path), folder / "run")


def test_any_number_of_classes(bag, three):
    run = Run(bag, three[1])
    assert run.fitted().labels == ("bad", "good", "odd")
    assert run.model().output["logits"].shape == (None, 3)


WILD = (
    "train.learning_rate=1e38",
    "train.clip_norm=0",
    "train.warmup=0",
    "train.optimizer=sgd",
    "train.weight_decay=0",
)


def test_nan_in_a_step_stops_with_a_message_and_keeps_good_weights(bag, tmp_path):
    path = table(tmp_path, THREE)
    with pytest.raises(
        NotFinite, match=r"at step \d+ of epoch 1\. The last good weights.*\n.*learning_rate"
    ):
        train(bag, settings(bag, path, *WILD, "train.batch_size=8"), tmp_path / "run")
    for weight in Run(bag, tmp_path / "run").model().get_weights():
        assert np.isfinite(weight).all()


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("last", 4)])
def test_the_best_epoch_or_the_last_is_kept(bag, tmp_path, monkeypatch, keep, kept):
    values = [3.0, 1.0, 2.0, 4.0]
    losses = iter(values)
    monkeypatch.setattr(
        loop, "validate", lambda *_: {"loss": next(losses), "accuracy": 0.5, "time": 0.0}
    )
    path = tmp_path / "run" / "best.weights.h5"
    changes = ("train.epochs=4", f"train.keep={keep}", "train.monitor=val_loss")
    written = []
    keep_it = loop.Recorder.weights
    monkeypatch.setattr(
        loop.Recorder, "weights", lambda self, model: [written.append(1), keep_it(self, model)]
    )
    metrics = train(bag, settings(bag, table(tmp_path, THREE), *changes), tmp_path / "run")
    assert metrics["best_epoch"] == len(written) == kept
    assert metrics["val_loss"] == values[kept - 1]
    assert path.is_file()


def test_to_keep_the_last_epoch_is_not_to_wait_for_a_best_one(bag, tmp_path):
    changes = ("train.keep=last", "train.patience=2")
    with pytest.raises(UserError, match="keep=last excludes patience and average"):
        settings(bag, table(tmp_path, THREE), *changes)


def test_nan_in_validation_is_never_kept_as_the_best(bag, tmp_path, monkeypatch):
    monkeypatch.setattr(
        loop, "validate", lambda trainer, batches: {"loss": np.nan, "accuracy": 0.5}
    )
    with pytest.raises(
        NotFinite, match=r"val_loss is not finite at the end of epoch 1\. None were good"
    ):
        train(
            bag, settings(bag, table(tmp_path, THREE), "train.monitor=val_loss"), tmp_path / "run"
        )
    assert not (tmp_path / "run" / "best.weights.h5").exists()


@pytest.mark.parametrize("precision", thorough("mixed_float16", "mixed_bfloat16"))
def test_mixed_precision_trains_and_resumes(tmp_path, precision):
    config = settings(
        APP,
        table(tmp_path, THREE),
        "model.bidirectional=false",
        f"train.precision={precision}",
        "train.epochs=2",
        "train.ema=0.9",
    )
    metrics = train(APP, config, tmp_path / "run")
    assert np.isfinite(metrics["val_loss"])
    (tmp_path / "run" / "metrics.json").unlink()
    assert train(APP, config, tmp_path / "run") == metrics
    assert Run(APP, tmp_path / "run").model().dtype_policy.name == "float32"


@pytest.mark.thorough  # what was interrupted equals what was not: twice the same, too
def test_same_seed_same_metrics(bag, three, tmp_path):
    path, _, metrics = three
    assert train(bag, settings(bag, path), tmp_path / "again") == metrics
    other = settings(bag, path, "train.optimizer=rmsprop", "train.schedule=linear")
    assert train(bag, other, tmp_path / "a") == train(bag, other, tmp_path / "b")


def test_early_stopping(bag, tmp_path):
    config = settings(
        bag,
        table(tmp_path, THREE),
        "train.epochs=40",
        "train.patience=2",
        "train.learning_rate=1e-30",
        "train.monitor=val_loss",
    )
    assert train(bag, config, tmp_path / "run")["epochs"] <= 5


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["train.monitor=val_acuracy"], "Did you mean val_accuracy"),
        (["data.source=/no/such/place"], "There is no /no/such/place"),
        (["data.validation=0.0"], "leaves the validation split of 90 records empty"),
    ],
)
def test_unusable_settings(bag, tmp_path, overrides, said):
    path = table(tmp_path, THREE)
    with pytest.raises(UserError, match=said):
        train(bag, settings(bag, path, *overrides), tmp_path / "run")


def test_a_folder_with_other_things_in_it_is_refused(bag, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="neither empty nor a run"):
        train(bag, settings(bag, table(tmp_path.parent, THREE)), tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_folder_that_cannot_be_written(bag, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="Cannot write"):
        train(bag, settings(bag, table(tmp_path, THREE)), tmp_path / "file" / "run")


@pytest.mark.thorough  # as sentiment does with the weights of a language model
def test_begins_with_another_runs_weights(bag, three, tmp_path):
    """Fine-tuning: not a step is taken before the weights are there."""
    path, run, first = three
    origin = f"train.start={run}"
    unmoved = ("train.learning_rate=1e-9", "train.weight_decay=0.0")
    metrics = train(bag, settings(bag, path, origin, *unmoved), tmp_path / "run")
    for one, other in zip(
        Run(bag, run).model().weights, Run(bag, tmp_path / "run").model().weights, strict=True
    ):
        if "seed" not in one.path:
            np.testing.assert_allclose(one, other, atol=1e-5)
    assert metrics["val_loss"] == pytest.approx(first["val_loss"], abs=1e-3)
    with pytest.raises(
        UserError, match=r"train\.start: the model of .* has other layers or another vocabulary"
    ):
        train(bag, settings(bag, path, origin, "model.units=20"), tmp_path / "wider")
    with pytest.raises(UserError, match="is no run"):
        train(bag, settings(bag, path, "train.start=nowhere"), tmp_path / "lost")
