"""Recordings that are asked about, whole and step by step, and their scores."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest
from click.testing import CliRunner

from apps.event_detection import APP, on_device
from apps.event_detection.config import DataConfig, DetectConfig, ModelConfig
from apps.event_detection.data import Fitted, fit, load
from apps.event_detection.floor import floor, surroundings
from apps.event_detection.sample import recording
from apps.event_detection.score import METRICS, score
from apps.event_detection.serve import Follower, shares
from rnnsuite.cli.main import main
from rnnsuite.core.errors import Refused, UserError
from rnnsuite.data.records import collect
from rnnsuite.device import events as device_events
from rnnsuite.device.follow import rows
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.pipeline.inference.session import Session
from rnnsuite.tasks.detection import events
from tests.conftest import train_and_export

FITTED = Fitted(("a", "b"), (), 10.0, (0.0,), (1.0,), (1.0,) * 3, 0, 5, 1, 2, 20, "overlap", 0.5)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, _cache):
    return train_and_export("event_detection", tmp_path_factory)


@pytest.fixture(scope="module")
def values():
    return recording(7, 0)[0][:1203].astype(np.float32)


@pytest.mark.parametrize("form", ["run", "saved_model", "float32.tflite"])
def test_a_stream_says_what_the_causal_signature_says(finished, values, form):
    path = finished.lite / form if form.endswith("tflite") else getattr(finished, form)
    fitted = fitted_of(finished.app, finished.run)
    session = Session(finished.app, path, "stream")
    whole = finished.open("saved_model").answer([{"values": values}], "causal")
    steps = [session({"values": part[None]}) for part in values[:1200].reshape(-1, fitted.hop, 2)]
    said = np.concatenate([step["probabilities"][0] for step in steps])
    ahead = fitted.look_ahead
    expected = np.asarray(whole["probabilities"][0])
    np.testing.assert_allclose(said[ahead:], expected[:-ahead], atol=1e-5)
    assert expected[-ahead:, 0].tolist() == [1] * ahead


def test_odd_recordings(finished, values):
    model = finished.open("saved_model")
    answer = model.answer([{"values": values[:5]}])
    assert np.shape(answer["probabilities"][0]) == (1, 4)
    long = model.answer([{"values": np.concatenate([values] * 3)}])
    np.testing.assert_allclose(np.sum(long["probabilities"][0], axis=1), 1, atol=1e-5)
    enormous = values.copy()
    enormous[600] = 1e30
    assert np.isfinite(model.answer([{"values": enormous}])["probabilities"][0]).all()
    with pytest.raises(Refused, match="at least the 5 samples of a step"):
        model.answer([{"values": values[:4]}])
    missing = values.copy()
    missing[7] = np.nan
    with pytest.raises(Refused, match="values must be finite numbers"):
        model.answer([{"values": missing}])
    with pytest.raises(UserError, match=r"values \[at least 5, 2\] are expected"):
        finished.open("float32.tflite").answer([{"values": values[:4]}])


def test_what_is_no_event_belongs_to_the_background():
    fitted = Fitted(
        ("a",), ("c",), 10.0, (0.0,), (1.0,), (1.0,) * 3, 0, 5, 1, 2, 20, "overlap", 0.5
    )
    logits = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
    np.testing.assert_allclose(shares(logits, fitted, True), [[0.7, 0.3]], atol=1e-6)
    logits = np.array([[0.0, 5.0]], np.float32)
    np.testing.assert_allclose(shares(logits, fitted, False), [[0.5, 0.5]], atol=1e-6)


def test_a_recording_is_followed(finished, values, tmp_path):
    np.save(tmp_path / "machine.npy", values)
    words = ["predict", "event_detection", "--model", str(finished.run), "--json", "--stream"]
    done = CliRunner().invoke(main, [*words, str(tmp_path / "machine.npy")])
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout)["events"], list)
    missing = CliRunner().invoke(main, [*words, "elsewhere.npy"])
    assert (missing.exit_code, "no recording elsewhere.npy" in missing.output) == (2, True)


def test_a_follower_sets_times_back_by_what_the_model_waits():
    class config:
        sections = {"detect": DetectConfig(pause=1.0, threshold=0.5)}
        model = ModelConfig()

    follower = Follower(config, FITTED)
    rows = np.tile([1.0, 0, 0], [14, 1])
    rows[4:8] = [0.1, 0.1, 0.8]
    events = []
    for row in rows:
        events += follower.feed({"probabilities": row[None, None]})
    assert events == [{"label": "b", "start": 1.0, "end": 3.0, "confidence": 0.8}]
    assert follower.end() == []


def scored(found, truth, **more):
    """The score of one recording of 100 samples; events are (label, first step, steps)."""
    event = np.zeros([20, 2], int)
    confidence = np.zeros([20, 2])
    for label, first, steps in found:
        place = FITTED.labels.index(label)
        part = slice(first, first + steps)
        event[part, place] = event[:, place].max() + 1
        confidence[part, place] = 0.9
    record = {
        "id": b"r",
        "rate": 10.0,
        "values": np.zeros([100, 1], np.float32),
        "events": json.dumps(truth).encode(),
    }
    shares_of = np.zeros([20, 3])
    shares_of[:, 0] = 1
    answers = {"event": [event], "confidence": [confidence], "probabilities": [shares_of]}
    return score([record], answers, FITTED)


def test_events_of_any_class_and_by_class():
    found = scored([("a", 2, 2), ("a", 10, 2)], [["a", 10, 19], ["b", 50, 59], ["b", 80, 89]])
    assert found.metrics.keys() == METRICS.keys()
    assert (found.metrics["precision"], found.metrics["recall"]) == (1, pytest.approx(2 / 3))
    assert found.neutral["f1_a"] == pytest.approx(2 / 3)
    assert found.neutral["recall_b"] == 0
    assert found.metrics["onset_error"] == 0
    assert {case["what"] for case in found.wrong} == {"missed"}
    for draw in found.plots.values():
        assert draw().axes


def test_other_classes_than_train_s_are_missed_and_no_annotations_are_told():
    found = scored([("a", 2, 2)], [["a", 12, 19], ["z", 80, 89]])
    assert found.neutral["recall_z"] == 0
    assert found.metrics["onset_error"] == pytest.approx(200)
    with pytest.raises(UserError, match="r has no annotations"):
        scored([], None)


@pytest.mark.usefixtures("_cache")
def test_the_floor_is_a_logistic_regression():
    config = DataConfig(splits={"train": "train[:4]", "test": "test[:2]"}, window=100)
    fitted = fit(config, load(config, "train"))
    records = collect(load(config, "test"))
    assert len(surroundings(records[0]["values"], fitted)) == len(records[0]["values"]) // 5
    result = floor(config, fitted, records)
    assert 0.3 < result["f1"] < 1
    assert result.keys() == {"model", *METRICS}


def test_an_answer_is_shown_by_its_events(finished):
    fitted = fitted_of(finished.app, finished.run)
    answer = {"event": np.zeros([10, 3], int), "confidence": np.zeros([10, 3])}
    assert APP.serving.show(fitted, answer) == ["no event"]
    answer["event"][2:4, 1] = 1
    answer["confidence"][2:4, 1] = 0.75
    assert APP.serving.show(fitted, answer) == [f"0.20 to 0.40 s  {fitted.labels[1]} 0.75"]


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_script_for_devices_obeys_the_same_rules(tmp_path, monkeypatch, exclusive):
    """Its loop alone, around a model that says what it is given."""
    rng = np.random.default_rng(1)
    said = rng.dirichlet([1.0, 0.6, 0.6], size=60)
    rules = events.Rules(0.5, 2, 1, exclusive)
    settings = {"labels": ["a", "b"], "rate": 10.0, "hop": 5, "look_ahead": 2}
    (tmp_path / "detect.json").write_text(
        json.dumps({**settings, "rules": dataclasses.asdict(rules)})
    )

    class Said:
        def __init__(self, path, signature):
            self.rows = iter(said)

        def step(self, values):
            assert values.shape == (1, 5, 1)
            return {"probabilities": next(self.rows)[None, None]}

    monkeypatch.setitem(sys.modules, "events", device_events)
    monkeypatch.setitem(sys.modules, "follow", types.SimpleNamespace(Follower=Said, rows=rows))
    monkeypatch.setattr(sys, "path", list(sys.path))
    told = list(on_device.follow(tmp_path, ["0.0\n"] * 300))
    following = events.Following(rules, ["a", "b"])
    expected = [event for row in said for event in following.feed(row[None])] + following.end()
    assert len(told) == len(expected) > 3
    for event, steps in zip(told, expected, strict=True):
        assert (event.label, event.confidence) == (steps.label, steps.confidence)
        assert event.start == pytest.approx(max(steps.start - 2, 0) * 0.5)
