"""The attending decoder: its two forms, its gradients, and what it must not see."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import decoding
from rnnsuite.layers import AttendingDecoder, Bridge, TokenDecoder
from tests.layers import EVERY_FAMILY

UNITS, DEPTH = 4, 2
rng = np.random.default_rng(0)
X, MEMORY = rng.normal(size=[2, 5, 3]).astype("f"), rng.normal(size=[2, 6, 7]).astype("f")
MASK = np.array([[True] * 6, [True] * 3 + [False] * 3])
ENDS = rng.normal(size=[2, 7]).astype("f")


def made(cell="gru", feeding=False, **options):
    keras.utils.set_random_seed(0)
    bridge = Bridge(cell, UNITS, DEPTH)
    decoder = AttendingDecoder(cell, UNITS, DEPTH, attention_units=5, feeding=feeding, **options)
    decoder(X, MEMORY, states=bridge(ENDS))
    return bridge, decoder


@pytest.mark.parametrize("feeding", [False, True])
@pytest.mark.parametrize("cell", EVERY_FAMILY)
def test_the_whole_target_is_step_after_step(cell, feeding):
    bridge, decoder = made(cell, feeding)
    outputs, weights = decoder(X, MEMORY, mask=MASK, states=bridge(ENDS))
    memory = tf.constant(MEMORY)
    keys, state = decoder.attention.keys(memory), decoder.begin(memory, bridge(ENDS))
    for t in range(5):
        output, share, state = decoder.step(tf.constant(X[:, t]), state, memory, keys, MASK)
        np.testing.assert_allclose(output, outputs[:, t], atol=1e-5)
        np.testing.assert_allclose(share, weights[:, t], atol=1e-5)
    np.testing.assert_allclose(state["attended"], tf.reduce_sum(weights, axis=1), atol=1e-5)


@pytest.mark.parametrize("feeding", [False, True])
def test_equals_the_equations(feeding):
    bridge, decoder = made("simple", feeding)
    outputs, weights = decoder(X, MEMORY, mask=MASK, states=bridge(ENDS))
    first, second = ([weight.numpy() for weight in layer.weights] for layer in decoder.recurrent)
    attention = decoder.attention
    query, key, bias, energy = (
        v.numpy() for v in (attention.query, attention.key, attention.bias, attention.energy)
    )
    kernel, combine_bias = (weight.numpy() for weight in decoder.combined.weights)
    for row in range(2):
        h = [state[0].numpy()[row] for state in bridge(ENDS)]
        o, memory = np.zeros(UNITS), MEMORY[row][MASK[row]]
        for t in range(5):
            x = np.concatenate([X[row, t], o]) if feeding else X[row, t]
            h[0] = np.tanh(x @ first[0] + h[0] @ first[1] + first[2])
            e = np.array([energy @ np.tanh(h[0] @ query + m @ key + bias) for m in memory])
            shares = np.exp(e) / np.exp(e).sum()
            context = shares @ memory
            h[1] = np.tanh(
                np.concatenate([h[0], context]) @ second[0] + h[1] @ second[1] + second[2]
            )
            o = np.tanh(np.concatenate([h[1], context]) @ kernel + combine_bias)
            np.testing.assert_allclose(outputs[row, t], o, atol=1e-5)
            np.testing.assert_allclose(weights[row, t][MASK[row]], shares, atol=1e-5)


@pytest.mark.parametrize("feeding", [False, True])
def test_gradients_reach_memory_bridge_and_inputs(feeding):
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        bridge = Bridge("gru", UNITS, DEPTH)
        bridge.build((None, 7))
        decoder = AttendingDecoder("gru", UNITS, DEPTH, attention_units=5, feeding=feeding)
        x, memory, ends = (tf.Variable(v.astype("float64")) for v in (X, MEMORY, ENDS))
        wanted = tf.constant(np.random.default_rng(1).normal(size=[2, 5, UNITS]))

        def loss():
            outputs, _ = decoder(x + 0, memory + 0, mask=MASK, states=bridge(ends + 0))
            return tf.reduce_sum(outputs * wanted)

        with tf.GradientTape() as tape:
            value = loss()
        variables = [
            x,
            memory,
            ends,
            bridge.dense.kernel.value,
            *(w.value for w in decoder.trainable_variables),
        ]
        draw = np.random.default_rng(2)
        for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
            start, along = variable.numpy(), draw.normal(size=variable.shape)
            ends_of = []
            for sign in (1, -1):
                variable.assign(start + sign * 1e-6 * along)
                ends_of.append(float(loss()))
            variable.assign(start)
            found = (ends_of[0] - ends_of[1]) / 2e-6
            assert float(tf.reduce_sum(gradient * along)) == pytest.approx(
                found, rel=1e-4, abs=1e-7
            )
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.mark.parametrize("feeding", [False, True])
def test_nothing_later_and_nothing_masked_is_seen(feeding):
    bridge, decoder = made(feeding=feeding)
    expected = decoder(X, MEMORY, mask=MASK, states=bridge(ENDS))[0].numpy()
    later = X.copy()
    later[:, 3:] = 9
    hidden = np.where(MASK[:, :, None], MEMORY, np.nan)
    np.testing.assert_allclose(
        decoder(later, hidden, mask=MASK, states=bridge(ENDS))[0][:, :3], expected[:, :3], atol=1e-6
    )


def test_dropout_is_locked_and_in_training_only():
    _, decoder = made(dropout=0.5)
    quiet = decoder(X, MEMORY)[0]
    np.testing.assert_array_equal(quiet, decoder(X, MEMORY)[0])
    assert np.abs(decoder(X, MEMORY, training=True)[0] - quiet).max() > 0.01


def test_feeding_and_weight_drop_do_not_go_together():
    with pytest.raises(ValueError, match="weight_drop"):
        AttendingDecoder("gru", 4, feeding=True, weight_drop=0.2)


def test_beam_search_over_its_steps_and_coverage():
    bridge, decoder = made("lstm")
    table, head = (
        tf.random.stateless_normal([9, 3], [0, 1]),
        3 * tf.random.stateless_normal([UNITS, 9], [0, 2]),
    )

    def translate(memory, mask, ends, beam):
        tiled = tf.repeat(memory, beam, axis=0)
        keys = decoder.attention.keys(tiled)
        masks = tf.repeat(mask, beam, axis=0)

        def step(tokens, state):
            output, _, state = decoder.step(tf.gather(table, tokens), state, tiled, keys, masks)
            return output @ head, state

        state = decoder.begin(memory, bridge(ends))
        start = tf.zeros([tf.shape(memory)[0]], tf.int32)
        attended = lambda state: tf.where(masks, state["attended"], 1.0)  # noqa: E731
        return decoding.beam_search(step, state, start, 1, beam, 8, 0, 0.6, 0.2, attended)

    together = tf.function(translate)(tf.constant(MEMORY), tf.constant(MASK), tf.constant(ENDS), 3)
    alone = translate(
        tf.constant(MEMORY[1:, :3]), tf.constant(MASK[1:, :3]), tf.constant(ENDS[1:]), 3
    )
    np.testing.assert_array_equal(together.ids[1], alone.ids[0])
    np.testing.assert_allclose(together.scores[1], alone.scores[0], atol=1e-5)


IDS = np.array([[2, 5, 6, 4, 7], [2, 8, 3, 0, 0]])


def tokens(cell="gru", **options):
    keras.utils.set_random_seed(0)
    decoder = TokenDecoder(9, 3, cell, UNITS, DEPTH, attention_units=5, **options)
    decoder(IDS, MEMORY, ENDS)
    return decoder


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("feeding", [False, True])
@pytest.mark.parametrize("kind", ["additive", "uniform"])
def test_logits_of_the_whole_target_are_those_of_its_steps(tied, feeding, kind):
    decoder = tokens("lstm", tied=tied, feeding=feeding, attention=kind)
    logits, _ = decoder(IDS, MEMORY, ENDS, mask=MASK)
    step, state = (
        decoder.stepper(tf.constant(MEMORY), MASK),
        decoder.begin(tf.constant(MEMORY), ENDS),
    )
    for t in range(5):
        found, state = step(tf.constant(IDS[:, t]), state)
        np.testing.assert_allclose(found, logits[:, t], atol=1e-5)


def test_a_stepper_for_a_beam_repeats_each_row():
    decoder = tokens()
    one, three = (
        decoder.stepper(tf.constant(MEMORY), MASK),
        decoder.stepper(tf.constant(MEMORY), MASK, 3),
    )
    state = decoder.begin(tf.constant(MEMORY), ENDS)
    expected, _ = one(tf.constant([5, 6]), state)
    found, _ = three(
        tf.repeat([5, 6], 3), tf.nest.map_structure(lambda v: tf.repeat(v, 3, axis=0), state)
    )
    np.testing.assert_allclose(found, np.repeat(expected, 3, axis=0), atol=1e-6)


def test_a_tied_readout_is_the_embedding():
    tied, apart = tokens(), tokens(tied=False)
    shapes = [tuple(weight.shape) for weight in tied.trainable_variables]
    assert shapes.count((9, 3)) == 1
    assert (UNITS, 9) not in shapes
    assert (UNITS, 9) in [tuple(weight.shape) for weight in apart.trainable_variables]
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tied(IDS[:1, :1], MEMORY[:1], ENDS[:1])[0][..., 8])
    gradient = tape.gradient(value, tied.embedding.embeddings.value)
    assert np.abs(tf.convert_to_tensor(gradient)[8]).max() > 0  # a token that was read nowhere


def test_gradients_of_token_decoder_against_finite_differences():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        decoder = tokens()
        wanted = tf.constant(np.random.default_rng(1).normal(size=[2, 5, 9]))

        def loss():
            return tf.reduce_sum(
                decoder(IDS, tf.constant(MEMORY, tf.float64), tf.constant(ENDS, tf.float64))[0]
                * wanted
            )

        variables = [
            decoder.embedding.embeddings.value,
            decoder.bridge.dense.kernel.value,
            decoder.bias.value,
        ]
        with tf.GradientTape() as tape:
            value = loss()
        draw = np.random.default_rng(2)
        for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
            start, along = variable.numpy(), draw.normal(size=variable.shape)
            values = []
            for sign in (1, -1):
                variable.assign(start + sign * 1e-6 * along)
                values.append(float(loss()))
            variable.assign(start)
            found = float(tf.reduce_sum(tf.convert_to_tensor(gradient) * along))
            assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-7)
    finally:
        keras.config.set_dtype_policy(policy)


def test_scheduled_sampling_is_the_models_own_in_training_only():
    decoder = tokens(sampling=0.999)
    quiet = decoder(IDS, MEMORY, ENDS)[0]
    np.testing.assert_array_equal(quiet, decoder(IDS, MEMORY, ENDS)[0])
    # A model that is sure of token 5 reads it at every step but the first, and at no padding.
    decoder.bias.assign(100 * np.eye(9)[5])
    ids = decoder._partly_sampled(tf.constant(IDS), decoder(IDS, MEMORY, ENDS)[0])
    np.testing.assert_array_equal(ids, [[2, 5, 5, 5, 5], [2, 5, 5, 0, 0]])
    decoder.sampling = 0.0
    own = decoder(ids, MEMORY, ENDS, training=True)[0]
    decoder.sampling = 0.999
    np.testing.assert_allclose(decoder(IDS, MEMORY, ENDS, training=True)[0], own, atol=1e-6)


def test_a_token_decoder_comes_back_from_its_config():
    decoder = tokens(
        "lstm", sampling=0.1, dropout=0.2, feeding=True, attention="general", tied=False
    )
    again = TokenDecoder.from_config(decoder.get_config())
    again(IDS, MEMORY, ENDS)
    again.set_weights(decoder.get_weights())
    np.testing.assert_allclose(
        again(IDS, MEMORY, ENDS)[0], decoder(IDS, MEMORY, ENDS)[0], atol=1e-6
    )
    assert again.get_config() == decoder.get_config()


def test_several_targets_of_one_memory():
    layer, ids = tokens(), np.array([[[1, 2, 3], [1, 4, 0]], [[1, 0, 0], [1, 3, 2]]], np.int32)
    logits, weights = layer(ids, MEMORY, ENDS, mask=MASK)
    assert logits.shape == (2, 2, 3, layer.vocabulary)
    assert weights.shape == (2, 2, 3, 6)
    for number in range(2):
        alone = layer(ids[:, number], MEMORY, ENDS, mask=MASK)
        np.testing.assert_allclose(logits[:, number], alone[0], atol=1e-6)
        np.testing.assert_allclose(weights[:, number], alone[1], atol=1e-6)


def test_hidden_tokens_are_zeros_in_training_only():
    layer, ids = tokens(token_dropout=0.999999), np.array([[1, 2, 3], [1, 4, 2]], np.int32)
    plain, other = layer(ids, MEMORY, ENDS)[0], layer(ids[::-1], MEMORY, ENDS)[0]
    assert np.abs(plain - other).max() > 1e-3
    hidden = [layer(each, MEMORY, ENDS, training=True)[0] for each in (ids, ids[::-1])]
    np.testing.assert_allclose(*hidden, atol=1e-6)
    assert layer.get_config()["token_dropout"] == 0.999999
