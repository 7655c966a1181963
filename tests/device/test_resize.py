"""The reference resize against its definition and against TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.device.resize import resize


@pytest.mark.parametrize("shape", [(7, 5), (64, 64), (31, 90), (1, 1), (2, 300)])
@pytest.mark.parametrize("size", [1, 8, 33])
def test_equals_tensorflows(shape, size):
    pixels = np.random.default_rng(0).integers(0, 256, [*shape, 3]).astype(np.uint8)
    found = resize(pixels, size)
    expected = tf.image.resize(pixels, [size, size], antialias=True).numpy()
    assert found.shape == (1, size, size, 3)
    assert found.dtype == np.float32
    # A rounding may fall the other way.
    assert np.abs(found[0] - expected).max() <= 0.501
    assert (found == np.round(found)).all()


def test_one_colour_stays_that_colour():
    pixels = np.full([13, 7, 3], (10, 200, 255), np.uint8)
    assert (resize(pixels, 5)[0] == pixels[0, 0]).all()


def test_the_same_size_changes_nothing():
    pixels = np.random.default_rng(1).integers(0, 256, [9, 9, 3])
    assert (resize(pixels, 9)[0] == pixels).all()


def test_half_the_size_is_a_weighted_mean():
    line = np.array([0, 0, 80, 80, 0, 0, 0, 0], float)
    pixels = np.broadcast_to(line[None, :, None], [8, 8, 3])
    # Triangles of two pixels to each side: weights 1, 3, 3, 1 of 8 around each new middle.
    expected = np.round([(0 * 6 + 80 * 1) / 7, (0 + 3 * 80 + 3 * 80 + 0) / 8, 80 / 8, 0])
    assert resize(pixels, 4)[0, 0, :, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4), (0, 4, 3), (1, 4, 4, 3)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="pixels must be"):
        resize(np.zeros(shape), 4)
