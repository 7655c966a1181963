"""Residual blocks beside their equations in numpy, and backbones of keras.applications."""

import keras
import numpy as np
import pytest

from rnnsuite.layers import Positions, ResidualBlock, residual_network
from rnnsuite.layers.backbone import Backbone

RNG = np.random.default_rng(0)


def convolved(x, kernel, stride):
    """Padding "same" as TensorFlow has it: what is odd goes to the end."""
    width, (batch, height, _, _) = kernel.shape[0], x.shape
    out = -(-height // stride)
    around = max((out - 1) * stride + width - height, 0)
    pads = (around // 2, around - around // 2)
    x = np.pad(x, [(0, 0), pads, pads, (0, 0)])
    found = np.zeros([batch, out, out, kernel.shape[-1]])
    for i in range(out):
        for j in range(out):
            part = x[:, i * stride : i * stride + width, j * stride : j * stride + width]
            found[:, i, j] = np.tensordot(part, kernel, 3)
    return found


def normalised(x, layer):
    gamma, beta, mean, variance = (np.asarray(v) for v in layer.weights)
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


@pytest.mark.parametrize(("filters", "stride"), [(3, 1), (5, 1), (3, 2), (4, 2)])
def test_equations(filters, stride):
    block, x = ResidualBlock(filters, stride), RNG.normal(size=(2, 7, 7, 3)).astype(np.float32)
    block(x)
    for weight in block.weights:
        weight.assign(RNG.uniform(0.2, 1.0, weight.shape))
    h, one, other = x, *block.convolutions
    h = np.maximum(normalised(convolved(h, np.asarray(one.kernel), stride), block.norms[0]), 0)
    h = normalised(convolved(h, np.asarray(other.kernel), 1), block.norms[1])
    past = x
    if (filters, stride) != (3, 1):
        past = normalised(
            convolved(x, np.asarray(block.shortcut.kernel), stride), block.shortcut_norm
        )
    np.testing.assert_allclose(block(x), np.maximum(h + past, 0), rtol=1e-4, atol=1e-4)
    assert block.compute_output_shape(x.shape) == block(x).shape


def test_a_dropped_branch_leaves_its_input():
    block, x = ResidualBlock(3, drop=0.999999), RNG.normal(size=(4, 5, 5, 3)).astype(np.float32)
    block.build(x.shape)
    np.testing.assert_allclose(block(x, training=True), np.maximum(x, 0), atol=1e-6)
    assert np.abs(block(x, training=False) - np.maximum(x, 0)).max() > 0.1


def test_the_network_has_a_stage_for_each_width():
    model = residual_network(32, (4, 8, 16), 2, drop=0.2)
    assert model.output_shape == (None, 4, 4, 16)
    blocks = [layer for layer in model.layers if isinstance(layer, ResidualBlock)]
    assert [block.filters for block in blocks] == [4, 4, 8, 8, 16, 16]
    assert [block.stride for block in blocks] == [1, 1, 2, 1, 2, 1]
    assert [round(block.drop, 3) for block in blocks] == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    pixels = RNG.integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    assert np.all(np.isfinite(model(pixels)))


def test_saved_and_loaded(tmp_path):
    model = residual_network(16, (4, 8), 1, drop=0.1)
    pixels = RNG.uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.models.load_model(tmp_path / "model.keras")(pixels), model(pixels), atol=1e-6
    )


def test_positions_are_weights_of_their_own():
    layer, x = Positions(), RNG.normal(size=(2, 4, 3)).astype(np.float32)
    layer.build(x.shape)
    assert [weight.shape for weight in layer.trainable_weights] == [(4, 3)]
    layer.vectors.assign(np.arange(12.0).reshape(4, 3))
    np.testing.assert_allclose(
        layer(x) - x, np.broadcast_to(np.arange(12.0).reshape(1, 4, 3), x.shape), atol=1e-5
    )


class TestBackbone:
    def test_pixels_to_features_with_its_own_preparation(self):
        layer = Backbone("MobileNetV2", 32)
        pixels = RNG.uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
        expected = layer.network(pixels / 127.5 - 1, training=False)  # Sandler et al.'s range
        np.testing.assert_allclose(layer(pixels), expected, atol=1e-5)
        assert layer.compute_output_shape(pixels.shape) == layer(pixels).shape == (2, 1, 1, 1280)

    def test_weights_of_a_file(self, tmp_path):
        one, other = Backbone("MobileNetV2", 32), Backbone("MobileNetV2", 32)
        one.network.save_weights(tmp_path / "some.weights.h5")
        other.load(str(tmp_path / "some.weights.h5"))
        for left, right in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(left, right)

    def test_no_weights(self, tmp_path):
        with pytest.raises(ValueError, match=r"no weights '.*absent.weights.h5' for MobileNetV2"):
            Backbone("MobileNetV2", 32).load(str(tmp_path / "absent.weights.h5"))

    def test_an_unknown_one(self):
        with pytest.raises(
            ValueError, match=r"there is no keras.applications.ResNet5; there are .*ResNet50"
        ):
            Backbone("ResNet5", 32)
