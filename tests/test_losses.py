"""Masked losses against numpy."""

import numpy as np
import tensorflow as tf

from rnnsuite.losses import attention_spread, token_losses

IDS = np.array([[3, 1, 2], [4, 0, 0]], np.int32)
LOGITS = np.random.default_rng(0).normal(size=[2, 3, 5]).astype("f")


def logs():
    return LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))


def test_equals_the_equations():
    found = token_losses(tf.constant(IDS), tf.constant(LOGITS), 0.2)
    labels = np.eye(5)[IDS] * 0.8 + 0.2 / 5
    kept = IDS > 0
    expected = {
        "loss": -(labels * logs()).sum(-1),
        "nll": -np.take_along_axis(logs(), IDS[..., None], -1)[..., 0],
        "accuracy": LOGITS.argmax(-1) == IDS,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].numpy().mean(), values[kept].mean(), rtol=1e-5)
        np.testing.assert_allclose(
            found[name], (values * kept).sum(1) / 2, rtol=1e-5
        )  # four tokens in two rows


def test_padding_counts_for_nothing_whatever_stands_there():
    broken = np.where((IDS > 0)[..., None], LOGITS, np.nan).astype("f")
    expected = token_losses(tf.constant(IDS), tf.constant(LOGITS), 0.1)
    for name, values in token_losses(tf.constant(IDS), tf.constant(broken), 0.1).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)
    assert all(
        np.all(value == 0)
        for value in token_losses(tf.zeros([2, 3], tf.int32), tf.constant(LOGITS)).values()
    )


def test_spread_of_attention_by_hand():
    ids = np.array([[[3, 1, 0], [2, 0, 0], [0, 0, 0]]], np.int32)
    weights = np.full([1, 3, 3, 2], np.nan, "f")  # whatever stands at padding
    weights[0, 0, :2] = [[0.5, 0.5], [1.0, 0.0]]
    weights[0, 1, :1] = [[0.25, 0.75]]
    first, second = (0.5**2 + 0.5**2) / 2, (0.75**2 + 0.25**2) / 2
    found = attention_spread(tf.constant(ids), tf.constant(weights))
    np.testing.assert_allclose(found, [(first + second) / 2], rtol=1e-6)
    assert attention_spread(
        tf.zeros([2, 1, 3], tf.int32), tf.zeros([2, 1, 3, 2])
    ).numpy().tolist() == [0, 0]
