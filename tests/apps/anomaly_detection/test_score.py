"""Metrics of alarms that are known, and the cheap detectors beside them."""

import numpy as np
import pytest

from apps.anomaly_detection.config import DataConfig
from apps.anomaly_detection.data import fit, load
from apps.anomaly_detection.floor import floors
from apps.anomaly_detection.score import METRICS, score
from rnnsuite.data.records import collect


def record(labels, begin=0, name=b"a"):
    labels = np.asarray(labels, np.int32)
    values = np.zeros([len(labels), 1], np.float32)
    return {"id": name, "labels": labels, "begin": begin, "values": values}


def answer(scores, event, threshold=1.0):
    scores = np.asarray(scores, np.float32)
    return {
        "score": scores,
        "rising": scores,
        "threshold": np.full(len(scores), threshold, np.float32),
        "event": np.asarray(event, np.int32),
    }


def column(answers):
    names = answers[0]
    return {name: [one[name] for one in answers] for name in names}


@pytest.fixture(scope="module")
def scored():
    labels = np.zeros(100)
    labels[[20, 21, 22, 23, 60, 61]] = 1
    scores = np.zeros(100)
    scores[[22, 23, 40, 41]] = 5
    event = np.zeros(100)
    event[22:24] = 1
    event[40:42] = 2
    answers = column([answer(scores, event), answer(np.zeros(50), np.zeros(50))])
    return score([record(labels, begin=10), record(np.zeros(50), name=b"b")], answers)


def test_one_found_one_missed_one_false_alarm(scored):
    assert scored.metrics.keys() == METRICS.keys()
    assert scored.metrics["precision"] == 0.5
    assert scored.metrics["recall"] == 0.5
    assert scored.metrics["f1"] == 0.5
    assert scored.metrics["delay"] == 2
    assert scored.metrics["false_alarms"] == pytest.approx(1000 / 140)
    assert scored.neutral == {"labelled": 6 / 140, "flagged": 4 / 140}


def test_cases_are_numbered_as_in_the_series(scored):
    kinds = {case["what"]: (case["from"], case["to"]) for case in scored.wrong}
    assert kinds == {"false alarm": (40, 41), "missed": (60, 61)}
    assert (scored.right[0]["from"], scored.right[0]["to"]) == (20, 23)
    for draw in scored.plots.values():
        assert draw().axes


def test_what_stands_before_the_split_does_not_count():
    labels = np.zeros(60)
    labels[[5, 40]] = 1
    event = np.zeros(60)
    event[5] = 1
    event[40] = 2
    found = score([record(labels, begin=20)], column([answer(event, event)]))
    assert (found.metrics["precision"], found.metrics["recall"]) == (1, 1)
    assert len(found.right) == 1


@pytest.mark.parametrize(("labels", "what"), [(0, "no"), (1, "every"), (-1, "no")])
def test_labels_of_nothing_or_everything_are_warned_of(labels, what):
    event = np.zeros(30)
    event[3] = 1
    found = score([record(np.full(30, labels))], column([answer(event, event)]))
    assert found.notes["f1"].startswith(f"{what} observation of this split is labelled")
    assert np.isfinite(list(found.metrics.values())).all()


@pytest.mark.usefixtures("_cache")
def test_cheap_detectors_are_scored_alike():
    config = DataConfig(splits={"train": "train[:2]", "test": "test[:3]"})
    fitted = fit(config, load(config, "train"))
    records = collect(load(config, "test"))
    forest, gaussian = floors(config, fitted, records)
    assert forest["model"] == "isolation forest of single observations"
    assert gaussian["model"] == "windowed Gaussian"
    for result in (forest, gaussian):
        assert 0 < result["f1"] <= 0.6
        assert 0 < result["auc_pr"] < 0.5
