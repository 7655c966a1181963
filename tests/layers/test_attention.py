"""Attention against its equations, its masks, and its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers import Attention

KINDS = ("additive", "dot", "general", "scaled_dot")


def made(kind, width=4, dtype="float32"):
    keras.utils.set_random_seed(0)
    layer = Attention(kind, units=5, dtype=dtype)
    layer.build((None, None, 4), (None, None, width))
    for number, weight in enumerate(layer.weights):
        weight.assign(np.random.default_rng(number).normal(size=weight.shape))
    return layer


def energy(layer, q, m):
    w = {weight.name: weight.numpy() for weight in layer.weights}
    return {
        "additive": lambda: w["energy"] @ np.tanh(q @ w["query"] + m @ w["key"] + w["bias"]),
        "dot": lambda: q @ m,
        "general": lambda: q @ (m @ w["key"]),
        "scaled_dot": lambda: (q @ w["query"]) @ (m @ w["key"]) / np.sqrt(5),
    }[layer.kind]()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 1000), st.integers(1, 4), st.integers(1, 6))
def test_equals_the_equations_for_any_mask_and_ignores_nan_in_the_padding(
    kind, seed, time, positions
):
    rng = np.random.default_rng(seed)
    layer, mask = made(kind), rng.random([2, positions]) < 0.7
    q, m = rng.normal(size=[2, time, 4]).astype("f"), rng.normal(size=[2, positions, 4]).astype("f")
    contexts, weights = layer(q, np.where(mask[:, :, None], m, np.nan), mask=mask)
    for row in range(2):
        for t in range(time):
            shares = np.array(
                [
                    np.exp(energy(layer, q[row, t], m[row, p])) * mask[row, p]
                    for p in range(positions)
                ]
            )
            shares = shares / shares.sum() if mask[row].any() else shares
            np.testing.assert_allclose(weights[row, t], shares, atol=1e-5)
            np.testing.assert_allclose(contexts[row, t], shares @ m[row], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_computed_before_change_nothing(kind):
    rng = np.random.default_rng(0)
    layer, q, m = (
        made(kind),
        rng.normal(size=[2, 3, 4]).astype("f"),
        rng.normal(size=[2, 5, 4]).astype("f"),
    )
    expected = layer(q, m)
    keys = layer.keys(tf.constant(m))
    for t in range(3):
        context, weights = layer(q[:, t : t + 1], m, keys=keys)
        np.testing.assert_allclose(context[:, 0], expected[0][:, t], atol=1e-6)
        np.testing.assert_allclose(weights[:, 0], expected[1][:, t], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_against_finite_differences(kind):
    rng = np.random.default_rng(0)
    layer = made(kind, dtype="float64")
    q, m = tf.Variable(rng.normal(size=[1, 2, 4])), tf.Variable(rng.normal(size=[1, 3, 4]))
    mask = np.array([[True, False, True]])
    wanted = tf.constant(rng.normal(size=[1, 2, 4]))

    def loss():
        return tf.reduce_sum(layer(q + 0, m + 0, mask=mask)[0] * wanted)

    with tf.GradientTape() as tape:
        value = loss()
    variables = [q, m, *(weight.value for weight in layer.trainable_variables)]
    for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
        start, found = variable.numpy(), np.zeros(variable.shape)
        for place in np.ndindex(*start.shape):
            moved = start.copy()
            moved[place] += 1e-5
            variable.assign(moved)
            up = float(loss())
            moved[place] -= 2e-5
            variable.assign(moved)
            found[place] = (up - float(loss())) / 2e-5
            variable.assign(start)
        np.testing.assert_allclose(gradient, found, atol=1e-6)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="kind must be one of"):
        Attention("hard")
    with pytest.raises(ValueError, match="Use general"):
        made("dot", width=3)


def test_config_and_weights_come_back():
    layer = made("additive")
    again = Attention.from_config(layer.get_config())
    q = np.ones([1, 2, 4], "f")
    again(q, q)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(q, q)[1], layer(q, q)[1])
