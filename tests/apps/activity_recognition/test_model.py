"""What the network promises, whatever it has learned."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from apps.activity_recognition import model
from apps.activity_recognition.config import ModelConfig
from apps.activity_recognition.data import Fitted

PARTS = ((0, 1), (1, 2), (0, 3))
SKELETON = Fitted(
    ("a", "b", "c"), 12, 4, PARTS, 0, 3, 1, 0, "each", False, (0.1,) * 24, (2.0,) * 24, (1.0,) * 12
)
SIGNALS = Fitted(
    ("a", "b", "c"), 3, 0, (), -1, 1, 4, 1, "each", True, (0.1,) * 3, (2.0,) * 3, (1.0,) * 3
)
UNIT = dataclasses.replace(SIGNALS, scaling="length", spectrum=False, hop=1, context=0)
SMALL = ModelConfig(units=3, stream_units=3, projection=4)
KINDS = {"skeleton": SKELETON, "signals": SIGNALS, "unit": UNIT}
X = np.random.default_rng(0).normal(size=[2, 16, 12]).astype("float32")


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    fitted = KINDS[request.param]
    return fitted, model.build(SMALL, fitted)


def clips(fitted):
    return X[..., : fitted.width]


def test_zeros_behind_a_clip_change_nothing(network):
    fitted, built = network
    x = clips(fitted)
    alone = built(x[:1, :8])
    padded = built(np.where(np.arange(16)[:, None] < 8, x, 0))
    steps = 8 // fitted.hop
    for name in ("logits", "weights", "so_far", "last"):
        found = padded[name][:1]
        found = found[:, :steps] if found.shape[1] == 16 // fitted.hop else found
        np.testing.assert_allclose(found, alone[name], atol=1e-5)
    np.testing.assert_array_equal(padded["weights"][0, steps:], 0)


def test_frames_without_a_number_are_skipped(network):
    fitted, built = network
    x = clips(fitted)[:1].copy()
    x[:, 8:12] = np.nan
    outputs = built(x)
    assert all(np.isfinite(value).all() for value in outputs.values())
    skipped = slice(8 // fitted.hop, 12 // fitted.hop)
    np.testing.assert_array_equal(outputs["weights"][0, skipped], 0)
    np.testing.assert_allclose(np.sum(outputs["weights"]), 1, atol=1e-5)


def test_what_is_said_so_far_depends_on_nothing_later(network):
    fitted, built = network
    x = tf.constant(clips(fitted))
    with tf.GradientTape() as tape:
        tape.watch(x)
        early = tf.reduce_sum(built(x)["so_far"][:, 8 // fitted.hop - 1])
    slope = np.abs(tape.gradient(early, x)).sum(axis=(0, 2))
    assert (slope[8:] == 0).all()
    assert (slope[:8] > 0).any()


def test_a_stream_says_the_same(network):
    fitted, built = network
    x = clips(fitted)
    chain = model.causal(built)
    states = chain.zeros(2)
    said = []
    for place in range(0, 16, fitted.hop):
        logits, states = chain.stream(tf.constant(x[:, place : place + fitted.hop]), states)
        said.append(logits)
    np.testing.assert_allclose(np.concatenate(said, axis=1), built(x)["so_far"], atol=1e-5)


def test_parts_of_the_body_are_read_by_themselves():
    built = model.build(ModelConfig(units=3, stream_units=3, projection=4, part_units=2), SKELETON)
    names = {layer.name for layer in built.layers}
    assert names >= {"part_0", "part_1", "part_2", "beside_1", "beside_2"}
    x = tf.constant(clips(SKELETON))
    with tf.GradientTape() as tape:
        tape.watch(x)
        inner = tf.reduce_sum(built(x)["logits"])
    slope = np.abs(tape.gradient(inner, x)).reshape(2, 16, 4, 3).sum(axis=(0, 1, 3))
    assert (slope > 0).all()


class TestLoss:
    outputs = {
        "logits": tf.constant([[2.0, 0.0, 0.0]]),
        "so_far": tf.constant([[[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 9.0, 0.0]]]),
        "last": tf.constant([[0.0, 9.0, 0.0]]),
    }

    def values(self, steps=2, **settings):
        targets = {"label": tf.constant([0]), "steps": tf.constant([steps])}
        values = model.loss(ModelConfig(**settings), targets, self.outputs)
        return {name: float(value[0]) for name, value in values.items()}

    def test_later_steps_count_more_and_padding_nothing(self):
        found = self.values()
        first = np.log(3)
        second = np.log(np.exp(4) + 2) - 4
        assert found["stream_loss"] == pytest.approx((first + 2 * second) / 3, abs=1e-5)
        assert found["stream_accuracy"] == 0
        assert found["whole_loss"] == pytest.approx(np.log(np.exp(2) + 2) - 2, abs=1e-5)
        assert found["loss"] == pytest.approx(found["whole_loss"] + found["stream_loss"])

    def test_smoothing_spreads_probability(self):
        total = np.log(np.exp(2) + 2)
        expected = 0.7 * (total - 2) + 0.3 * (total - 2 / 3)
        found = self.values(label_smoothing=0.3)["whole_loss"]
        assert found == pytest.approx(expected, abs=1e-5)

    def test_an_answer_can_be_that_of_both_heads(self):
        assert self.values()["accuracy"] == 1
        assert self.values(stream_share=0.9)["accuracy"] == 0
        mixed = model.shares(ModelConfig(stream_share=0.25), self.outputs)[0]
        whole, last = (tf.nn.softmax(self.outputs[name])[0] for name in ("logits", "last"))
        np.testing.assert_allclose(mixed, 0.75 * whole + 0.25 * last, rtol=1e-6)

    def test_the_stream_can_weigh_less(self):
        found = self.values(stream_weight=0.0)
        assert found["loss"] == found["whole_loss"]
