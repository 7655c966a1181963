"""The losses by their definitions, long recordings in windows, and a bounded look ahead."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from apps.event_detection.config import ModelConfig
from apps.event_detection.data import Fitted
from apps.event_detection.model import build, causal, loss
from apps.event_detection.windows import in_windows

FITTED = Fitted(
    ("a", "b"), ("c",), 50.0, (1.0, 0.0), (2.0, 1.0), (1.0,) * 4, 0, 4, 2, 3, 12, "overlap", 0.5
)
CONFIG = ModelConfig(projection=6, units=5, stream_units=5, boundary=2.0)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build(CONFIG, FITTED)


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).normal(size=[2, 48, 2]).astype("float32")


def targets():
    active = np.zeros([2, 12, 3], np.float32)
    active[0, 3:6, 0] = 1
    active[1, 5:8, 2] = 1
    active[1, 7:9, 1] = 1
    known = np.ones([2, 12], np.float32)
    known[1, 10:] = 0
    return {"active": active, "weight": known}


def test_cross_entropy_weighs_boundaries_and_knows_the_end(model, samples):
    outputs = model(samples)
    assert outputs["stream"].shape == (2, 12 - FITTED.look_ahead, 4)
    found = loss(CONFIG, targets(), outputs)
    classes = np.zeros([2, 12], int)
    classes[0, 3:6] = 1
    classes[1, 5:8] = 3
    classes[1, 7:9] = 2  # of two at once, the first in their order
    weights = targets()["weight"].copy()
    for row, places in ((0, [2, 3, 5, 6]), (1, [4, 5, 6, 7, 8, 9])):
        weights[row, places] *= 1 + CONFIG.boundary
    nats = -np.take_along_axis(log_softmax(outputs["whole"], -1), classes[..., None], -1)[..., 0]
    expected = (nats * weights).sum(axis=1) / weights.sum(axis=1)
    np.testing.assert_allclose(found["whole_loss"], expected, rtol=1e-5)
    time = 12 - FITTED.look_ahead
    nats = -np.take_along_axis(log_softmax(outputs["stream"], -1), classes[:, :time, None], -1)[
        ..., 0
    ]
    expected = (nats * weights[:, :time]).sum(axis=1) / weights[:, :time].sum(axis=1)
    np.testing.assert_allclose(found["stream_loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(found["loss"], found["whole_loss"] + found["stream_loss"], rtol=1e-6)


def test_several_classes_at_once(samples):
    config = dataclasses.replace(CONFIG, exclusive=False, boundary=0.0)
    model = build(config, FITTED)
    outputs = model(samples)
    assert outputs["whole"].shape == (2, 12, 3)
    active, known = targets()["active"], targets()["weight"]
    logits = np.asarray(outputs["whole"], np.float64)
    nats = (np.log1p(np.exp(logits)) - active * logits).sum(axis=-1)
    expected = (nats * known).sum(axis=1) / known.sum(axis=1)
    np.testing.assert_allclose(loss(config, targets(), outputs)["whole_loss"], expected, rtol=1e-5)


def test_a_stream_waits_no_longer_than_it_says(model, samples):
    """The gradient of what it says of a step, by samples, ends after the look-ahead."""
    x = tf.constant(samples)
    with tf.GradientTape() as tape:
        tape.watch(x)
        said = tf.reduce_sum(model(x)["stream"][:, 4])
    reach = np.flatnonzero(np.abs(tape.gradient(said, x).numpy()).sum(axis=(0, 2)))
    assert reach.max() == (4 + FITTED.look_ahead + 1) * FITTED.hop - 1
    assert reach.min() == 0


def test_the_stream_says_what_the_network_says(model, samples):
    chain = causal(model)
    states = chain.zeros(2)
    said = []
    for place in range(0, 48, FITTED.hop):
        logits, states = chain.stream(tf.constant(samples[:, place : place + FITTED.hop]), states)
        said.append(logits[:, 0])
    expected = model(samples)["stream"]
    np.testing.assert_allclose(np.stack(said, axis=1)[:, FITTED.look_ahead :], expected, atol=1e-5)


@pytest.mark.parametrize("steps", [3, 8, 9, 12, 31])
def test_a_long_recording_is_read_in_windows(steps):
    """Each step is answered by the window in whose middle it is nearest."""
    length = 8
    samples = np.arange(2 * steps * 4, dtype=np.float32).reshape(2, steps * 4, 1)

    def network(cut):  # says of each step its first sample, its place, and its window's length
        first = cut[:, ::4, 0]
        place = tf.broadcast_to(tf.range(tf.shape(first)[1], dtype=tf.float32), tf.shape(first))
        return tf.stack([first, place], axis=-1)

    outputs = in_windows(network, tf.constant(samples), 4, length).numpy()
    np.testing.assert_array_equal(outputs[..., 0], samples[:, ::4, 0])
    size = min(steps, length)
    starts = sorted({*range(0, steps - size + 1, max(size // 2, 1)), steps - size})
    for step in range(steps):
        nearest = min(abs(step - start - size // 2) for start in starts if 0 <= step - start < size)
        assert abs(outputs[0, step, 1] - size // 2) <= nearest + 1
