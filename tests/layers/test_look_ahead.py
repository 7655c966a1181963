"""Row convolution, by its equation, and as a stream."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import LookAhead


def by_hand(x, kernel):
    """y_t = relu(sum over i of w_i * x_{t+i}), arXiv 1512.02595, section 3.7."""
    ahead = len(kernel) - 1
    count = x.shape[1] - ahead
    y = np.zeros([len(x), count, x.shape[2]])
    for t in range(count):
        for i in range(ahead + 1):
            y[:, t] += kernel[i] * x[:, t + i]
    return np.maximum(y, 0)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_equals_the_equation(ahead):
    x = np.random.default_rng(0).normal(size=(2, 7, 4)).astype("f")
    layer = LookAhead(ahead)
    found = layer(x)
    assert found.shape == (2, 7 - ahead, 4)
    np.testing.assert_allclose(found, by_hand(x, layer.kernel.numpy()), atol=1e-6)


@pytest.mark.parametrize("sizes", [(1,) * 9, (4, 5), (2, 1, 6), (9,)])
def test_a_stream_gives_the_whole_later(sizes):
    x = np.random.default_rng(1).normal(size=(2, 9, 4)).astype("f")
    layer = LookAhead(2)
    expected = layer(x)
    states = layer.zeros(2)
    outputs = []
    for piece in np.split(x, np.cumsum(sizes)[:-1], axis=1):
        output, states = layer.stream(tf.constant(piece), states)
        assert output.shape == piece.shape
        outputs.append(output)
    np.testing.assert_allclose(
        tf.concat(outputs, axis=1)[:, layer.look_ahead :], expected, atol=1e-6
    )


def test_nothing_further_ahead_is_seen():
    x = tf.Variable(np.random.default_rng(2).normal(size=(1, 6, 3)).astype("f") + 3)
    layer = LookAhead(2)
    with tf.GradientTape() as tape:
        second = tf.reduce_sum(layer(x)[:, 1])
    gradient = np.abs(tape.gradient(second, x)).sum(axis=(0, 2))
    assert (gradient > 0).tolist() == [False, True, True, True, False, False]
