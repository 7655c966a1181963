import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import layers
from rnnsuite.layers import CELLS, Stack, Streaming, exporting
from tests.layers import EVERY_FAMILY

OPTIONS = {"depth": 2, "residual": True, "layer_norm": True, "zoneout": 0.2, "dropout": 0.3}


def inputs(batch=3, time=9, features=4):
    return np.random.default_rng(0).normal(size=[batch, time, features]).astype("float32")


def build(cell):
    # A normalisation divides by spreads that may be tiny: with some weights, rounding the input's
    # last digit moves the output by 1e-4. So each output is normalised once, and the weights are
    # known to be harmless.
    keras.utils.set_random_seed(0)
    return Stack(cell, 6, **{**OPTIONS, "layer_norm": not cell.startswith("layernorm")})


def pieces(stream, x, cuts):
    """What `chunk` gives for x in pieces that end at `cuts`."""
    states, outputs = stream.zeros(len(x)), []
    for start, end in zip([0, *cuts], [*cuts, x.shape[1]], strict=True):
        answer = stream.chunk(x[:, start:end], **states)
        states = {name: answer[name] for name in states}
        outputs.append(answer["output"])
    return np.concatenate(outputs, axis=1)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_steps_and_chunks_equal_the_whole_sequence(cell):
    x = inputs()
    stack = build(cell)
    expected = stack(x)
    stream = Streaming(stack)
    states, outputs = stream.zeros(len(x)), []
    for t in range(x.shape[1]):
        answer = stream.step(x[:, t], **states)
        states = {name: answer[name] for name in states}
        outputs.append(answer["output"])
    np.testing.assert_allclose(np.stack(outputs, axis=1), expected, atol=1e-5)
    np.testing.assert_allclose(pieces(stream, x, [1, 5]), expected, atol=1e-5)


@pytest.mark.parametrize("cell", EVERY_FAMILY)
def test_saved_and_loaded_without_us(tmp_path, cell):
    x = inputs()
    stack = build(cell)
    expected = stack(x)
    module = tf.Module()
    module.weights = [weight.value for weight in stack.weights]
    with exporting("served"):
        traced = {
            name: tf.function(function).get_concrete_function(**specs)
            for name, (function, specs) in Streaming(stack).signatures().items()
        }
        tf.saved_model.save(module, str(tmp_path), signatures=traced)
    loaded = tf.saved_model.load(str(tmp_path)).signatures
    states, outputs = Streaming(stack).zeros(3), []
    for t in range(x.shape[1]):
        answer = loaded["step"](x=tf.constant(x[:, t]), **states)
        states = {name: answer[name] for name in states}
        outputs.append(answer["output"])
    np.testing.assert_allclose(np.stack(outputs, axis=1), expected, atol=1e-5)
    answer = loaded["chunk"](x=tf.constant(x), **Streaming(stack).zeros(3))
    np.testing.assert_allclose(answer["output"], expected, atol=1e-5)


def test_one_layer_and_its_states():
    x = inputs()
    layer = layers.LSTM(5, return_sequences=True, return_state=True)
    expected, h, c = layer(x)
    answer = Streaming(layer).chunk(x, **Streaming(layer).zeros(3))
    for found, wanted in zip(answer.values(), (expected, h, c), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert list(answer) == ["output", "state_0_0", "state_0_1"]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.LSTM(3, go_backwards=True), "piece by piece"),
        (Stack("gru", 3, bidirectional=True), "piece by piece"),
        (layers.GRU(3, activation="relu"), "activations"),
        (keras.layers.Dense(3), "piece by piece"),
    ],
)
def test_what_needs_the_future_is_refused(layer, message):
    layer.build((None, None, 2))
    with pytest.raises(ValueError, match=message):
        Streaming(layer)
    with pytest.raises(ValueError, match="not built"):
        Streaming(layers.GRU(3))
