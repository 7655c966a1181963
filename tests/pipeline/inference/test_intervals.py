"""Intervals of scores by the bootstrap."""

import math

import numpy as np
import pytest

from rnnsuite.app import Score
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference.evaluate import evaluate
from rnnsuite.pipeline.inference.intervals import intervals


def accuracy(records, answers):
    right = [
        record["label"] == label for record, label in zip(records, answers["label"], strict=True)
    ]
    return Score({"accuracy": float(np.mean(right)), "undefined": math.nan})


def test_it_is_that_of_a_share():
    """Of 400 answers, 300 right: as the normal approximation says."""
    records = [{"label": b"a"}] * 400
    answers = {"label": [b"a"] * 300 + [b"b"] * 100}
    found = intervals(records, answers, accuracy, 1000)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert found["accuracy"] == pytest.approx([0.75 - half, 0.75 + half], abs=0.006)
    assert np.isnan(found["undefined"]).all()


def test_what_counts_differences_has_none():
    """Drawn with replacement, 50 different answers are about 32."""

    def distinct(records, answers):
        return Score({"right": 1.0, "distinct": len(set(answers["label"])) / len(records)})

    records = [{"label": bytes([n])} for n in range(50)]
    answers = {"label": [bytes([n]) for n in range(50)]}
    assert intervals(records, answers, distinct, 20)["distinct"][1] < 0.8
    assert set(intervals(records, answers, distinct, 20, diversity=["distinct"])) == {"right"}


def test_records_and_answers_stay_together():
    records = [{"label": bytes([n])} for n in range(50)]
    answers = {"label": [bytes([n]) for n in range(50)]}
    assert intervals(records, answers, accuracy, 20)["accuracy"] == [1.0, 1.0]


def test_answers_that_are_not_one_for_each_record():
    with pytest.raises(UserError, match="not one for each record"):
        intervals([{}], {"label": [b"a", b"b"]}, accuracy, 5)


def test_of_an_evaluation(sentiment):
    found = evaluate(sentiment.app, sentiment.run, split="validation", bootstrap=50)
    low, high = found.intervals["accuracy"]
    assert low <= found.score.metrics["accuracy"] <= high
    assert low < high
    assert not evaluate(sentiment.app, sentiment.run, split="validation").intervals
