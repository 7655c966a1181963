"""What the network promises, whatever it has learned."""

import numpy as np
import pytest
import tensorflow as tf

from apps.object_recognition import model
from apps.object_recognition.config import ModelConfig
from apps.object_recognition.data import Fitted
from rnnsuite.core.errors import UserError

FITTED = Fitted(("a", "b", "c"), 16)
X = np.random.default_rng(0).uniform(0, 255, size=[2, 16, 16, 3]).astype("float32")
SHAPES = {"sweeps": (4, 4), "rows": (4, 1), "mean": (4, 4)}


def built(**settings):
    return model.build(ModelConfig(**{"filters": (), "units": 3, **settings}), FITTED)


@pytest.mark.parametrize("reader", SHAPES)
@pytest.mark.parametrize("filters", [(), (2, 3, 4)])
def test_attention_is_over_the_places_that_are_read(reader, filters):
    outputs = built(reader=reader, filters=filters)(X)
    side = SHAPES[reader] if not filters else (2, 1 if reader == "rows" else 2)
    assert outputs["weights"].shape == (2, *side)
    np.testing.assert_allclose(np.sum(outputs["weights"], axis=(1, 2)), 1, atol=1e-5)
    assert outputs["logits"].shape == (2, 3)


def patches_swapped(x):
    swapped = x.copy()
    swapped[:, :4, :4] = x[:, 8:12, 4:8]
    swapped[:, 8:12, 4:8] = x[:, :4, :4]
    return swapped


def test_a_mean_of_patches_knows_no_arrangement_and_sweeps_do():
    for reader, is_same in (("mean", True), ("sweeps", False), ("rows", False)):
        network = built(reader=reader)
        before, after = (network(x)["logits"] for x in (X, patches_swapped(X)))
        assert np.allclose(before, after, atol=1e-5) == is_same, reader


def test_patches_are_squares_of_the_picture():
    network = built(patch=8, reader="mean")
    patches = tf.keras.Model(network.input, network.get_layer("patches").output)(X)
    expected = X[:, 8:, :8].reshape(2, -1) / 127.5 - 1
    np.testing.assert_allclose(patches[:, 1, 0], expected, atol=1e-5)
    with pytest.raises(UserError, match="5 does not divide the 16"):
        built(patch=5)


def test_depth_adds_sweeps():
    names = {layer.name for layer in built(depth=2).layers}
    assert {"sweeps_0", "sweeps_1"} <= names
