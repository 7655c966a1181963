"""Griffin's block, against numpy and by what it may see."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import RGLRUBlock
from tests.layers import equations

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=[2, 7, 3]).astype("float32")


def block(**options):
    layer = RGLRUBlock(4, **options)
    layer.build(X.shape)
    for weight in layer.trainable_variables:
        weight.assign(weight + 0.1 * RANDOM.normal(size=weight.shape))
    return layer


def gelu(v):
    """As Keras has it, by the error function."""
    return 0.5 * v * (1 + tf.math.erf(v / np.sqrt(2)).numpy())


def test_equals_the_equations():
    layer = block(width=3)
    gate_w, gate_b = layer.gate.get_weights()
    inner_w, inner_b = layer.inner.get_weights()
    outer_w, outer_b = layer.outer.get_weights()
    inner = X @ inner_w + inner_b
    kernel, bias = np.array(layer.kernel), np.array(layer.bias)
    seen = np.zeros_like(inner) + bias
    for t in range(7):
        for back in range(min(3, t + 1)):
            seen[:, t] += kernel[2 - back] * inner[:, t - back]
    every = np.ones([2, 7], bool)
    weights = layer.recurrent.get_weights()
    recurrent, _ = equations.run("rg_lru", seen, every, weights, units=4)
    expected = (gelu(X @ gate_w + gate_b) * recurrent) @ outer_w + outer_b
    np.testing.assert_allclose(layer(X), expected, atol=1e-5)


def test_no_step_sees_what_comes_after_it():
    layer = block()
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        early = tf.reduce_sum(layer(x)[:, :4] ** 2)
    gradient = tape.gradient(early, x).numpy()
    assert np.abs(gradient[:, 4:]).max() == 0
    assert np.abs(gradient[:, :4]).max(axis=-1).min() > 0


def test_padding_before_a_sequence_changes_nothing():
    layer = block()
    padded = np.concatenate([np.full([2, 3, 3], np.nan, "float32"), X], axis=1)
    mask = np.arange(10)[None].repeat(2, 0) >= 3
    np.testing.assert_allclose(layer(padded, mask=mask)[:, 3:], layer(X), atol=1e-6)


def test_a_width_under_one_is_refused():
    with pytest.raises(ValueError, match="width must be at least 1"):
        RGLRUBlock(4, width=0)
