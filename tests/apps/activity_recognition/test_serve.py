"""How the trained application is asked."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from apps.activity_recognition import floor, score
from apps.activity_recognition.serve import Follower
from rnnsuite import catalog
from rnnsuite.cli.main import main
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.inference.session import Session
from tests.conftest import train_and_export

APP = catalog.find("activity_recognition")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("activity_recognition", tmp_path_factory)


@pytest.fixture(scope="module")
def records(finished):
    return collect(APP.data.load(data_section(APP, finished.run, None), "test"), 12)


@pytest.mark.parametrize("form", ["run", "saved_model", "float32.tflite"])
def test_a_stream_says_what_the_whole_says_causally(finished, records, form):
    fitted = fitted_of(APP, finished.run)
    values = np.array(records[0]["values"])
    values[5, :6] = np.nan
    place = finished.lite / form if form.endswith(".tflite") else getattr(finished, form)
    session = Session(APP, place, "stream")
    count = len(values) // fitted.hop
    steps = values[: count * fitted.hop].reshape(count, 1, fitted.hop, -1)
    said = np.concatenate([session({"values": step})["probabilities"][0] for step in steps])
    whole = finished.open("saved_model").answer([{"values": values}], "causal")
    np.testing.assert_allclose(said, whole["probabilities"][0], atol=1e-5)


MANY = """
import numpy as np
from runner import LiteModel
values = np.random.default_rng(0).normal(size=(1, 47, 33)).astype("float32")
first = None
for _ in range(300):
    model = LiteModel("float32.tflite", "clip")
    for _ in range(2):
        found = {name: np.array(value) for name, value in model(values=values).items()}
        first = first or found
        for name, value in found.items():
            np.testing.assert_allclose(value, first[name], atol=1e-6)
"""


def test_many_interpreters_answer_every_time_the_same(finished):
    """XNNPACK read stale memory behind a slice of everything, in 5 of 100 interpreters."""
    subprocess.run([sys.executable, "-c", MANY], cwd=finished.lite, check=True)


def test_clips_of_different_lengths_share_a_batch(finished, records):
    import tensorflow as tf

    served = tf.saved_model.load(str(finished.saved_model)).signatures["serving_default"]
    values = [record["values"] for record in records[:4]]
    longest = max(map(len, values))
    padded = [np.pad(rows, ((0, longest - len(rows)), (0, 0))) for rows in values]
    together = served(values=tf.constant(np.stack(padded)))["probabilities"]
    for number, rows in enumerate(values):
        alone = served(values=tf.constant(rows[None]))["probabilities"][0]
        np.testing.assert_allclose(together[number], alone, atol=1e-5)


def test_ten_thousand_frames_and_infinite_numbers(finished, records):
    model = finished.open("saved_model")
    long = np.tile(records[0]["values"], [10_000 // len(records[0]["values"]) + 1, 1])[:10_000]
    assert np.isfinite(model.answer([{"values": long}])["probabilities"]).all()
    with pytest.raises(Exception, match="must not be infinite"):
        model.answer([{"values": np.full([4, 33], np.inf, "float32")}])
    with pytest.raises(Exception, match="at least the 2 frames of a step"):
        model.answer([{"values": records[0]["values"][:1]}])


def test_early_answers_and_the_order_of_frames_are_in_the_report(finished):
    evaluation = evaluate(APP, finished.run, split="test")
    rows = evaluation.score.tables["As a stream"]
    assert [row["of the clip"] for row in rows] == ["25%", "50%", "75%", "100%"]
    forwards, backwards = evaluation.score.tables["Order of frames"]
    assert forwards["accuracy"] == round(evaluation.score.metrics["accuracy"], 4)
    assert 0 <= backwards["accuracy"] <= 1
    assert "Attention over time" in evaluation.score.plots
    assert evaluation.floor["model"] in (
        "ridge of the mean frame",
        "logistic regression of statistics",
    )


def test_the_floor_does_not_see_in_which_order_features_come():
    x = np.random.default_rng(0).normal(size=[20, 3])
    np.testing.assert_allclose(floor.mean_frame(x), floor.mean_frame(x[::-1]))
    np.testing.assert_allclose(floor.statistics(x), floor.statistics(x[::-1]), atol=1e-6)
    assert floor.statistics(x[:1]).shape == floor.statistics(x).shape


def test_attention_is_drawn_over_what_moves(records):
    answers = {
        "label": [record["label"] for record in records],
        "probabilities": np.full([len(records), 7], 1 / 7),
        "weights": [np.full(len(record["values"]) // 2, 0.1) for record in records],
    }
    figure = score.score(records, answers).plots["Attention over time"]()
    assert {axes.get_title() for axes in figure.axes} - {""} <= {
        record["label"].decode() for record in records
    }


def test_of_another_width_nothing_is_scored(finished, records):
    fitted = fitted_of(APP, finished.run)
    wider = [{**records[0], "values": np.ones([4, 5], "float32")}]
    with pytest.raises(UserError, match="a frame has 5 numbers, and the model reads 33"):
        score.score(wider, {}, fitted)


class TestShell:
    def ask(self, *words):
        return CliRunner().invoke(main, ["predict", "activity_recognition", *map(str, words)])

    def test_files_of_joints(self, finished, records, tmp_path):
        values = records[0]["values"]
        np.save(tmp_path / "a.npy", values.reshape(len(values), -1, 3))
        done = self.ask("--model", finished.run, "--json", tmp_path / "a.npy")
        assert done.exit_code == 0, done.output
        expected = finished.open("run").answer([{"values": values}])
        (answer,) = json.loads(done.stdout)["answers"]
        assert answer["label"] == expected["label"][0].decode()

    def test_a_stream_of_a_file(self, finished, records, tmp_path):
        np.save(tmp_path / "a.npy", records[0]["values"])
        done = self.ask("--model", finished.run, "--stream", tmp_path / "a.npy", "--json")
        assert done.exit_code == 0, done.output
        last = json.loads(done.stdout)["events"][-1]
        fitted = fitted_of(APP, finished.run)
        assert last["frames"] == len(records[0]["values"]) // fitted.hop * fitted.hop
        assert last["is_last"] is True

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a.npy", None, "There is no file"),
            ("a.npy", b"no array", "cannot be read as numbers"),
            ("a.npz", b"PK\x03\x04 cut", "cannot be read as numbers"),
        ],
    )
    def test_files_that_are_none(self, finished, tmp_path, name, content, said):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        done = self.ask("--model", finished.run, tmp_path / name)
        assert done.exit_code == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr

    def test_all_joints_missing(self, finished, tmp_path):
        np.save(tmp_path / "a.npy", np.zeros([4, 11, 3]))
        done = self.ask("--model", finished.run, tmp_path / "a.npy")
        assert done.exit_code == 2
        assert "nothing but missing numbers" in done.stderr


def test_a_stream_speaks_when_it_changes_its_mind(finished):
    fitted = fitted_of(APP, finished.run)
    config = configuration.load(APP, finished.run / "config.yaml", ["stream.confidence=0.6"])
    follower = Follower(config, fitted)
    rows = np.full([5, 7], 0.05)
    rows[4, 1] = 0.3
    rows[1, 2] = rows[2, 2] = 0.7
    rows[3, 4] = 0.8
    said = follower.feed({"probabilities": rows[None]})
    assert [(entry["label"], entry["frames"]) for entry in said] == [
        (fitted.labels[2], 2 * fitted.hop),
        (fitted.labels[4], 4 * fitted.hop),
    ]
    assert follower.end() == [
        {"label": fitted.labels[1], "confidence": 0.3, "frames": 5 * fitted.hop, "is_last": True}
    ]
