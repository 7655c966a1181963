"""Gradients of the layers before and behind recurrent ones, against finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import CumulativePooling, Sweeps
from rnnsuite.layers.frames import Frames
from rnnsuite.layers.missing import FillMissing
from rnnsuite.layers.skeleton import Skeleton
from rnnsuite.layers.spectrum import Spectrum

STEP = 1e-2
LAYERS = {
    "Skeleton": (lambda: Skeleton(3, 1, [(0, 1), (1, 2)]), (1, 4, 6)),
    "Skeleton without bones": (lambda: Skeleton(3), (1, 4, 6)),
    "Skeleton, smoothed": (lambda: Skeleton(3, 1, [(0, 1), (1, 2)], smooth=5), (1, 6, 6)),
    "CumulativePooling": (CumulativePooling, (1, 5, 3)),
    "Spectrum": (lambda: Spectrum(6, 2), (1, 2, 12)),
    "Sweeps": (lambda: Sweeps("gru", 2), (1, 3, 2, 2)),
    "Frames": (lambda: Frames(2, 1, [0.1, 0.2], [1.5, 0.5]), (1, 6, 2)),
    "FillMissing": (lambda: FillMissing([0.5, 0.1, 0.2]), (1, 4, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_of_inputs(name):
    make, shape = LAYERS[name]
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("float32")
    layer = make()
    layer.build(x.shape)
    weights = rng.normal(size=layer(x).shape).astype("float32")

    def value(inputs):
        return tf.reduce_sum(layer(inputs) * weights)

    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        total = value(variable)
    slope = np.asarray(tape.gradient(total, variable))
    for _ in range(6):
        direction = rng.normal(size=shape).astype("float32")
        direction /= np.linalg.norm(direction)
        ahead, behind = (float(value(x + side * STEP * direction)) for side in (1, -1))
        expected = (ahead - behind) / (2 * STEP)
        assert float((slope * direction).sum()) == pytest.approx(expected, rel=0.05, abs=0.05)


@pytest.mark.parametrize("name", ["CumulativePooling", "Sweeps"])
def test_gradient_of_weights(name):
    make, shape = LAYERS[name]
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=shape).astype("float32"))
    layer = make()
    layer.build(x.shape)
    factors = rng.normal(size=layer(x).shape).astype("float32")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x) * factors)
    slopes = tape.gradient(total, layer.trainable_variables)
    assert all(slope is not None for slope in slopes)
    before = layer.get_weights()
    directions = [rng.normal(size=weight.shape).astype("float32") for weight in before]
    values = []
    for side in (1, -1):
        moved = [w + side * 1e-3 * d for w, d in zip(before, directions, strict=True)]
        layer.set_weights(moved)
        values.append(float(tf.reduce_sum(layer(x) * factors)))
    expected = (values[0] - values[1]) / 2e-3
    found = sum(
        float((np.asarray(slope) * direction).sum())
        for slope, direction in zip(slopes, directions, strict=True)
    )
    assert found == pytest.approx(expected, rel=0.02, abs=0.02)


def test_what_is_missing_has_no_gradient():
    x = np.random.default_rng(0).normal(size=[1, 3, 6]).astype("float32")
    x[0, 1, :2] = np.nan
    variable = tf.Variable(x)
    layer = Skeleton(3)
    layer.build(x.shape)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(variable))
    slope = np.asarray(tape.gradient(total, variable))
    assert np.isfinite(slope).all()
    np.testing.assert_array_equal(slope[0, 1, :2], 0)
