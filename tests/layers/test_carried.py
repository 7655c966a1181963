"""A stack whose states go in and out, and become zero where a document begins."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import LSTM, Stack, exporting, scan
from rnnsuite.layers.scan import Plan
from tests.layers import EVERY_FAMILY, equations

RANDOM = np.random.default_rng(11)
ROWS, STEPS, WIDTH, UNITS = 3, 9, 4, 6
X = RANDOM.normal(size=[ROWS, STEPS, WIDTH]).astype("float32")
FRESH = RANDOM.random([ROWS, STEPS]) < 0.3
EVERY_THIRD = np.arange(STEPS) % 3 == 0
"""Where documents of three steps begin: every call has the same shape then, and compiles once."""


def stack(cell="lstm", depth=1, **options):
    keras.utils.set_random_seed(2)
    layer = Stack(cell, UNITS, depth, **options)
    layer.build((None, None, WIDTH))
    for weight in layer.trainable_variables:
        weight.assign(weight + RANDOM.normal(size=weight.shape).astype("float32") * 0.1)
    return layer


def states_of(layer, value=None):
    draw = RANDOM.normal if value is None else lambda size: np.full(size, value)
    states = {name: draw(size=[ROWS, *shape]) for name, shape in layer.states.items()}
    # The third state, of an sLSTM, is a normaliser, which is positive.
    return {
        name: tf.constant(np.abs(value) if name.endswith("_2") else value, tf.float32)
        for name, value in states.items()
    }


def same(found, expected, atol=1e-5):
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("cell", EVERY_FAMILY)
class TestEveryCell:
    def test_in_pieces_it_is_the_whole(self, cell):
        layer = stack(cell, depth=2)
        before = states_of(layer)
        whole, after = layer(X, states=before)
        outputs = []
        states = before
        for start, end in ((0, 3), (3, 6), (6, STEPS)):
            output, states = layer(X[:, start:end], states=states)
            outputs.append(output)
        same(tf.concat(outputs, axis=1), whole)
        same(states, after)

    def test_from_zeros_it_is_a_plain_call(self, cell):
        layer = stack(cell)
        same(layer(X, states=states_of(layer, 0.0))[0], layer(X))

    def test_where_it_begins_anew_nothing_is_remembered(self, cell):
        """Each stretch from one beginning to the next equals a call of its own."""
        layer = stack(cell, depth=2)
        before = states_of(layer)
        # One document of all rows goes on from before; in the first row another one begins.
        fresh = np.tile(EVERY_THIRD, [ROWS, 1])
        fresh[1:, 0] = False
        outputs, after = layer(X, states=before, fresh=fresh)
        first = {name: tf.where(fresh[:, :1], 0.0, value) for name, value in before.items()}
        for start in range(0, STEPS, 3):
            output, last = layer(X[:, start : start + 3], states=first)
            same(outputs[:, start : start + 3], output)
            first = states_of(layer, 0.0)
        same(after, last)

    def test_served_it_is_the_same(self, cell):
        layer = stack(cell)
        before = states_of(layer)
        expected = layer(X, states=before, fresh=FRESH)
        with exporting("served"):
            same(layer(X, states=before, fresh=FRESH), expected)

    def test_gradients_stop_where_it_begins_anew(self, cell):
        layer = stack(cell)
        before = states_of(layer)
        fresh = np.zeros([ROWS, STEPS], bool)
        fresh[:, 4] = True
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch([x, *before.values()])
            outputs, _ = layer(x, states=before, fresh=fresh)
            late = tf.reduce_sum(tf.square(outputs[:, 4:]))
        dx, *d_states = tape.gradient(late, [x, *before.values()])
        assert np.abs(dx[:, :4]).max() == 0
        assert np.abs(dx[:, 4:]).min(axis=-1).max() > 0
        for gradient in d_states:
            assert gradient is None or np.abs(gradient).max() == 0


def test_the_equations_of_an_lstm_with_beginnings():
    layer = stack("lstm")
    kernel, recurrent, bias = map(np.asarray, layer.recurrent[0].cell_weights())
    before = states_of(layer)
    outputs, after = layer(X, states=before, fresh=FRESH)
    states = [np.asarray(before["state_0_0"]), np.asarray(before["state_0_1"])]
    for t in range(STEPS):
        states = [np.where(FRESH[:, t, None], 0, state) for state in states]
        h, states = equations.lstm(X[:, t], states, kernel, recurrent, bias)
        np.testing.assert_allclose(outputs[:, t], h, atol=1e-5)
    same([after["state_0_0"], after["state_0_1"]], states)


@pytest.mark.parametrize("cell", ["lstm", *EVERY_FAMILY])
@pytest.mark.parametrize("training", [False, True])
def test_gradients_against_finite_differences(cell, training):
    layer = stack(cell)
    before = states_of(layer)
    cell = layer.recurrent[0].cell
    kernel = getattr(cell, "recurrent_kernel", cell.kernel)
    direction = RANDOM.normal(size=kernel.shape).astype("float32")

    def loss():
        outputs, after = layer(X, states=before, fresh=FRESH, training=training)
        return tf.reduce_sum(tf.sin(outputs)) + tf.add_n(
            [tf.reduce_sum(tf.square(value)) for value in after.values()]
        )

    with tf.GradientTape() as tape:
        value = loss()
    slope = float(np.sum(tape.gradient(value, kernel.value) * direction))
    step = 1e-3
    first = np.asarray(kernel)
    ends = []
    for sign in (1, -1):
        kernel.assign(first + sign * step * direction)
        ends.append(float(loss()))
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02, abs=0.05)


@pytest.mark.parametrize("shards", [1, 2, 3])
@pytest.mark.parametrize("segments", [1, 2, 4])
def test_however_rows_and_steps_are_divided(shards, segments):
    layer = LSTM(UNITS, return_sequences=True)
    layer.build((None, None, WIDTH))
    states = tuple(tf.constant(RANDOM.normal(size=[ROWS, UNITS]), tf.float32) for _ in range(2))
    weights = layer.cell_weights()

    def run(plan):
        return scan.run(layer.recurrence(), X, states, weights, plan=plan, fresh=tf.constant(FRESH))

    expected = run(scan.STOCK)
    found = tf.function(lambda: run(Plan(True, shards, segments)), autograph=False)()
    same(found, expected)


def test_backwards_it_begins_anew_in_the_order_of_running():
    layer = LSTM(UNITS, return_sequences=True)
    layer.build((None, None, WIDTH))
    zeros = (tf.zeros([ROWS, UNITS]),) * 2
    weights = layer.cell_weights()
    options = {"plan": scan.STOCK, "fresh": tf.constant(FRESH)}
    _, backwards, _ = scan.run(layer.recurrence(), X, zeros, weights, backwards=True, **options)
    options["fresh"] = tf.constant(FRESH[:, ::-1].copy())
    _, turned, _ = scan.run(layer.recurrence(), X[:, ::-1].copy(), zeros, weights, **options)
    same(backwards, turned)


def test_training_draws_its_dropout_between_layers():
    layer = stack("gru", depth=2, dropout=0.5)
    before = states_of(layer)
    plain, _ = layer(X, states=before)
    drawn, _ = layer(X, states=before, training=True)
    assert np.abs(plain - drawn).max() > 1e-3


def test_symbolic_calls_know_their_shapes():
    layer = stack("lstm", depth=2)
    inputs = {name: keras.Input(shape) for name, shape in layer.states.items()}
    output, after = layer(keras.Input([None, WIDTH]), states=inputs)
    assert output.shape == (None, None, UNITS)
    assert {name: value.shape for name, value in after.items()} == {
        f"state_{depth}_{number}": (None, UNITS) for depth in range(2) for number in range(2)
    }


def test_both_directions_have_no_states_that_go_on():
    layer = Stack("gru", UNITS, bidirectional=True)
    with pytest.raises(ValueError, match="no states that go from batch to batch"):
        _ = layer.states


def test_a_layer_that_takes_keras_s_loop_cannot_begin_anew():
    layer = LSTM(UNITS, activation="relu")
    layer.build((None, None, WIDTH))
    zeros = [tf.zeros([ROWS, UNITS])] * 2
    with pytest.raises(ValueError, match="cannot begin anew within a sequence"):
        layer.inner_loop(tf.constant(X), zeros, None, False, tf.constant(FRESH))
