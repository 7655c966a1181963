"""Recurrent sweeps over a picture."""

import keras
import numpy as np
import pytest

from rnnsuite.layers import Sweeps


def test_equals_lines_one_by_one():
    """Columns first, both ways, then rows of what these said."""
    x = np.random.default_rng(0).normal(size=[1, 3, 4, 2]).astype("float32")
    layer = Sweeps("gru", 5)
    layer.build(x.shape)
    found = layer(x)
    said = np.zeros([3, 4, 10], "float32")
    for column in range(4):
        said[:, column] = layer.columns(x[:, :, column])[0]
    expected = [layer.rows(said[row][None])[0] for row in range(3)]
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_every_place_sees_all_of_the_picture():
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(size=[1, 3, 4, 2]).astype("float32"))
    layer = Sweeps("gru", 5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        corner = tf.reduce_sum(layer(x)[0, 0, 0])
    assert (np.abs(tape.gradient(corner, x)).sum(axis=-1) > 0).all()


def test_of_another_size_and_with_gradients():
    layer = Sweeps("lstm", 2)
    inputs = keras.Input([2, 5, 3])
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 2, 5, 4)


def test_unknown_cell():
    with pytest.raises(ValueError, match="cell must be one of"):
        Sweeps("what", 3)
