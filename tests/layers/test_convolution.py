"""Convolutions that never look ahead, hidden bands, and chains of layers fed piece by piece."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import (
    LSTM,
    Attention,
    CausalConvolution,
    Chain,
    Pooling,
    RegionEmbedding,
    SpecAugment,
    Stack,
    StateSpec,
    Streamable,
)


def random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def trained(layer, x):
    """With a normalisation that is not the identity."""
    layer(x)
    for number, weight in enumerate(layer.norm.weights):
        weight.assign(np.random.default_rng(number).uniform(0.5, 1.5, weight.shape))
    return layer


def test_convolution_against_numpy():
    x, layer = random(1, 6, 5, 2), CausalConvolution(3, (3, 3), (2, 2))
    found = trained(layer, x)(x).numpy()
    kernel = layer.convolution.kernel.numpy()
    gamma, beta, mean, variance = (weight.numpy() for weight in layer.norm.weights)
    padded = np.pad(x, ((0, 0), (1, 0), (1, 1), (0, 0)))
    assert found.shape == (1, 3, 3, 3)
    for t in range(3):
        for f in range(3):
            y = np.einsum("tfc,tfcn->n", padded[0, 2 * t : 2 * t + 3, 2 * f : 2 * f + 3], kernel)
            y = gamma * (y - mean) / np.sqrt(variance + 1e-3) + beta
            np.testing.assert_allclose(found[0, t, f], np.maximum(y, 0), atol=1e-5)


def test_it_never_looks_ahead():
    layer, x = CausalConvolution(3, (5, 3), (2, 1)), tf.Variable(random(1, 10, 4, 1))
    layer(x)
    with tf.GradientTape() as tape:
        first = tf.reduce_sum(layer(x)[:, :3])
    gradient = tape.gradient(first, x).numpy()
    assert np.abs(gradient[:, 6:]).max() == 0
    assert np.abs(gradient[:, 5]).max() > 0


def test_a_kernel_shorter_than_the_stride():
    with pytest.raises(ValueError, match="skips steps"):
        CausalConvolution(3, (1, 3), (2, 1))


def test_hidden_stretches_in_training_only():
    x = np.ones([64, 40, 30], np.float32)
    layer = SpecAugment(freq_masks=1, freq_width=8, time_masks=1, time_width=10)
    np.testing.assert_array_equal(layer(x), x)
    hidden = layer(x, training=True).numpy() == 0
    steps, bands = hidden.all(axis=2).sum(axis=1), hidden.all(axis=1).sum(axis=1)
    assert (hidden == (hidden.all(axis=2)[:, :, None] | hidden.all(axis=1)[:, None])).all()
    assert steps.max() == 10
    assert bands.max() == 8
    assert len(set(steps)) > 5
    assert len(set(bands)) > 5


@pytest.mark.parametrize("size", [2, 4])
def test_a_chain_in_pieces_is_the_whole(size):
    x = random(2, 12, 6)
    convolution, recurrent, last = (
        CausalConvolution(4, (5, 3), (2, 2)),
        Stack("gru", 5, 2, residual=True),
        LSTM(3),
    )
    last.return_sequences = True
    planes, flat = keras.layers.Reshape((-1, 6, 1)), keras.layers.Reshape((-1, 12))
    trained(convolution, planes(x))
    whole = last(recurrent(flat(convolution(planes(x)))))
    chain = Chain(planes=planes, front=convolution, flat=flat, recurrent=recurrent, last=last)
    assert set(chain.states) == {
        "front_past",
        "recurrent_state_0_0",
        "recurrent_state_1_0",
        "last_state_0_0",
        "last_state_0_1",
    }
    states, found = chain.zeros(2), []
    for piece in np.split(x, 12 // size, axis=1):
        after = chain.chunk(tf.constant(piece), **states)
        found.append(after.pop("output").numpy())
        assert after.keys() == states.keys()
        states = after
    np.testing.assert_allclose(np.concatenate(found, axis=1), whole, atol=1e-5)


def test_what_looks_ahead_is_no_part_of_a_chain():
    layer = Stack("gru", 5, bidirectional=True)
    layer(random(1, 3, 2))
    with pytest.raises(ValueError, match="needs the whole sequence"):
        Chain(recurrent=layer)


class Shifted(Streamable):
    """A part that needs so many steps after each."""

    look_ahead = 2

    def stream(self, x, states):
        return x, {}


@pytest.mark.parametrize(
    "part",
    [
        RegionEmbedding(3),
        keras.layers.Conv1D(4, 3, padding="same"),
        Pooling("mean"),
        Attention("dot"),
        keras.layers.LayerNormalization(axis=1),
        keras.layers.Reshape((6, 2)),
        lambda x: x,
    ],
)
def test_a_part_that_has_not_declared_itself_is_refused_by_name(part):
    with pytest.raises(ValueError, match=f"odd: {type(part).__name__} does not declare"):
        Chain(dense=keras.layers.Dense(3), odd=part)


def test_look_ahead_adds_up():
    assert Chain(one=Shifted(), two=keras.layers.Dense(3), three=Shifted()).look_ahead == 4
    assert Chain(one=keras.layers.ReLU()).look_ahead == 0


def test_states_have_their_own_type():
    class Counts(Streamable):
        @property
        def states(self):
            return {"count": StateSpec((2,), "int32")}

        def stream(self, x, states):
            return x, {"count": states["count"] + tf.shape(x)[1]}

    chain = Chain(counts=Counts())
    states = chain.zeros(3)
    assert states["counts_count"].dtype == tf.int32
    after = chain.chunk(tf.zeros([3, 5, 1]), **states)
    np.testing.assert_array_equal(after["counts_count"], np.full([3, 2], 5))
