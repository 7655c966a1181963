"""The whole score beside numpy's, thresholds from held-out scores, and what the sample holds."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.anomaly_detection.config import DataConfig, DetectConfig, ModelConfig
from apps.anomaly_detection.corpus import divided
from apps.anomaly_detection.data import Fitted, load
from apps.anomaly_detection.model import build, calibrate
from apps.anomaly_detection.sample import (
    BEGIN,
    CHANNELS,
    KINDS,
    PERIOD,
    SIZES,
    STEPS,
    anomalous,
    normal,
    series,
)
from apps.anomaly_detection.serve import threshold_of
from apps.anomaly_detection.stream import WARM, scores
from rnnsuite.app import Trained
from rnnsuite.core.errors import UserError
from rnnsuite.data.channels import runs
from rnnsuite.data.records import collect
from tests.layers.pieces import whole

FITTED = Fitted(("a", "b"), (1, 0), 50.0, 16)
SHORT = 4
COUNT = 10
CAP = 8.0


def tail(x):
    """Nats of each value beyond the largest before it."""
    nats = np.zeros(len(x))
    for place in range(WARM, len(x)):
        before = x[:place][np.isfinite(x[:place])]
        if len(before) < WARM or not np.isfinite(x[place]):
            continue
        largest = np.sort(before)[::-1][:COUNT]
        least = largest[-1]
        smallest = 1e-3 * before.std() + 1e-6 * abs(least) + 1e-9
        scale = max((largest - least).sum() / (COUNT - 1), smallest)
        if x[place] - least > smallest:
            nats[place] = np.log(len(before) / COUNT) + (x[place] - least) / scale
    return np.minimum(nats, CAP)


def short_means(x):
    means = [np.mean(x[max(place + 1 - SHORT, 0) : place + 1]) for place in range(len(x))]
    return np.array(means)


def nearest(x, memory):
    distances = np.full(len(x), np.nan)
    for place in range(1, len(x)):
        distances[place] = np.abs(x[max(place - memory, 0) : place] - x[place]).min()
    return distances


def test_the_score_is_the_sum_of_its_evidence():
    """Of every channel by itself, and of them the largest; two values stand out, each by one."""
    x = np.random.default_rng(0).normal(size=[220, 2])
    x[150, 0] += 6
    x[180, 1] -= 5
    config = ModelConfig(
        evidence=("value", "mean", "novelty"),
        neighbours=(1,),
        short=SHORT,
        recent=30,
        largest=COUNT,
        cap=CAP,
        units=2,
    )
    found = whole(scores(build(config, FITTED), config, FITTED), x[None])[0]
    for place, channel in enumerate(FITTED.scored):
        values = x[:, channel]
        means = short_means(values)
        pieces = [values, -values, means, -means, nearest(values, 30)]
        expected = sum(tail(piece) for piece in pieces)
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-3, atol=2e-3)
    assert found[150, 1] > found[150, 0]
    assert found[180, 0] > found[180, 1]


@settings(max_examples=10, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_units_do_not_matter(level, scale):
    """Celsius or Fahrenheit, as far as float32 can tell them apart."""
    if abs(level) > 1000 * scale:
        level = 1000 * scale * np.sign(level)
    x = np.random.default_rng(1).normal(size=[1, 160, 2])
    expected = SCORES(tf.constant(x, tf.float32))
    found = SCORES(tf.constant(level + scale * x, tf.float32))
    np.testing.assert_allclose(found, expected, rtol=0.05, atol=0.3)


def _scores():
    config = ModelConfig(evidence=("value", "novelty"), neighbours=(1,), recent=30, units=2)
    chain = scores(build(config, FITTED), config, FITTED)
    return tf.function(lambda x: chain.stream(x, chain.zeros(1))[0])


SCORES = _scores()


@pytest.fixture(scope="module")
def calibrated():
    """Held-out scores of two series, one with a large and labelled anomaly."""
    keras.utils.set_random_seed(0)
    config = ModelConfig(evidence=("forecast",), tail="none", cap=1e6, units=4)
    model = build(config, FITTED)
    rng = np.random.default_rng(2)
    values = rng.normal(size=[2, 900, 2]).astype(np.float32)
    labels = np.zeros([2, 900], np.int32)
    values[0, 600] += 50
    labels[0, 600] = 1
    records = [
        {"values": values[row], "labels": labels[row], "begin": begin}
        for row, begin in enumerate((0, 400))
    ]

    @dataclasses.dataclass(frozen=True)
    class Config:
        model = config

    trained = Trained(config=Config(), fitted=FITTED, model=model)
    return calibrate(trained, records)


def test_thresholds_are_of_normal_scores_that_a_stream_would_have_given(calibrated):
    """Neither the first steps nor an anomaly and what follows it are among them."""
    plain = json.loads(json.dumps(calibrated["scores"]))
    assert plain["count"] == (900 - WARM - (2 * WARM + 1)) + 500
    assert max(plain["scores"]) < 100
    risks = [threshold_of(DetectConfig(risk=risk), calibrated) for risk in (1e-2, 1e-3, 1e-5)]
    assert risks == sorted(risks)
    assert risks[0] < max(plain["scores"]) < risks[-1]


def test_cuts_that_fall_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 20)
    config = DataConfig(source=str(tmp_path / "a.csv"), cuts=(0.7, 0.6))
    with pytest.raises(UserError, match=r"data.cuts: \[0.7, 0.6\] fall"):
        load(config, "train")


@pytest.mark.usefixtures("_cache")
def test_the_sample_s_splits():
    config = DataConfig()
    for split, count in SIZES.items():
        records = collect(load(config, split))
        assert len(records) == count
        for record in records:
            assert record["values"].shape == (STEPS, len(CHANNELS))
            assert [name.decode() for name in record["names"]] == list(CHANNELS)
            assert record["labels"].any() == (split != "train")
    ids = {split: {item.id for item, _ in divided(config, split)} for split in SIZES}
    assert not ids["train"] & ids["test"]


def test_the_sample_is_always_the_same_and_its_series_are_not():
    first = list(series("validation"))
    again = list(series("validation"))
    for (name, x, labels), (other_name, other, other_labels) in zip(first, again, strict=True):
        assert name == other_name
        np.testing.assert_array_equal(x, other)
        np.testing.assert_array_equal(labels, other_labels)
    assert np.abs(first[0][1] - first[1][1]).max() > 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_kind_of_anomaly_changes(kind):
    """Beside the normal series of the same seed, in the labelled steps alone."""
    x, labels = anomalous(np.random.default_rng(5), [kind])
    usual = normal(np.random.default_rng(5))
    changed = np.abs(x - usual).max(axis=1) > 0
    assert (changed <= (labels == 1)).all()
    ((first, last),) = runs(labels == 1)
    assert first >= BEGIN
    channels = np.abs(x - usual)[first : last + 1].max(axis=0) > 0.5
    expected = {
        "spike": [True, False, False],
        "drift": [True, False, False],
        "stop": [True, True, False],
        "uncoupled": [False, True, False],
        "faster": [False, False, True],
    }
    assert channels.tolist() == expected[kind]


def test_flow_follows_the_load():
    x = normal(np.random.default_rng(0))
    delays = [np.corrcoef(x[:-8, 0], np.roll(x[:, 1], -lag)[:-8])[0, 1] for lag in range(PERIOD)]
    assert int(np.argmax(delays)) == 3
