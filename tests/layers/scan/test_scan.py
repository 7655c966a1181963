"""The scan against Keras's loop, numpy's equations and finite differences, with every option
crossed.
"""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite import layers
from rnnsuite.layers import recurrent, scan
from rnnsuite.layers.scan.plan import rounded
from tests.layers import equations
from tests.thorough import thorough

KERAS = {
    "simple": (keras.layers.SimpleRNN, {}),
    "relu": (keras.layers.SimpleRNN, {"activation": "relu"}),
    "gru": (keras.layers.GRU, {}),
    "gru_reset_before": (keras.layers.GRU, {"reset_after": False}),
    "lstm": (keras.layers.LSTM, {}),
}
OURS = {
    **{name: (getattr(layers, kind.__name__), options) for name, (kind, options) in KERAS.items()},
    "layernorm_lstm": (layers.LayerNormLSTM, {}),
    "layernorm_gru": (layers.LayerNormGRU, {}),
}
MODERN = {
    **{
        name: (layers.CELLS[name], {})
        for name in ("ind_rnn", "min_gru", "min_lstm", "rg_lru", "sru")
    },
    "slstm": (layers.SLSTM, {"heads": 2}),
    "mogrifier_lstm": (layers.MogrifierLSTM, {"rounds": 3}),
}
EVERY = {**OURS, **MODERN}


def masks(kind, batch, time, rng):
    """Padding of one kind; the first row is padding from end to end."""
    lengths = rng.integers(0, time + 1, batch)
    lengths[0] = 0
    at = np.arange(time)[None]
    padded = {
        "right": at < lengths[:, None],
        "left": at >= time - lengths[:, None],
        "scattered": (rng.random([batch, time]) < 0.5) & (lengths > 0)[:, None],
    }
    return padded.get(kind)


def built(kind, options, units, shape, seed=1):
    layer = kind(units, **options)
    layer.build(shape)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()])
    return layer


def first_states(layer, rng, shape):
    """Random ones; the third of an sLSTM's four is a normaliser, which is positive."""
    states = [rng.normal(size=shape) for _ in layer.state_size]
    return [np.abs(v) + 0.1 if number == 2 else v for number, v in enumerate(states)]


def results(layer, x, mask, states, training, graph=False):
    """Outputs, states and the gradients of every input and weight of one loss of them all."""

    masked = mask is not None

    def run(x, *rest):
        mask, states = (rest[0], rest[1:]) if masked else (None, rest)
        with tf.GradientTape() as tape:
            tape.watch([x, *states])
            outputs = layer(x, mask=mask, initial_state=list(states) or None, training=training)
            loss = sum(
                tf.reduce_sum(tf.sin(v + tf.cumsum(tf.ones_like(v), -1) * k))
                for k, v in enumerate(outputs, 1)
            )
        return outputs, tape.gradient(
            loss, [x, *states, *(weight.value for weight in layer.trainable_weights)]
        )

    given = [tf.constant(v) for v in (x, *([mask] if masked else []), *states)]
    if graph:  # neither batch nor time is known when it is traced
        shapes = [
            [None] * (v.shape.rank - 1) + [None if v.dtype == tf.bool else v.shape[-1]]
            for v in given
        ]
        signature = [tf.TensorSpec(shape, v.dtype) for shape, v in zip(shapes, given, strict=True)]
        run = tf.function(run, input_signature=signature)
    return run(*given)


def assert_equal(found, expected, atol=1e-5):
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        scale = max(1.0, float(np.max(np.abs(other))))
        np.testing.assert_allclose(one, other, atol=atol * scale, rtol=0)


@pytest.mark.parametrize(
    "cell", ["gru", "lstm", *thorough(*sorted(KERAS.keys() - {"gru", "lstm"}))]
)
@settings(max_examples=5, deadline=None)
@given(
    shape=st.sampled_from([(1, 1, 1), (5, 9, 3)]),  # each is compiled
    units=st.sampled_from([1, 4]),
    padding=st.sampled_from([None, "right", "left", "scattered"]),
    sequences=st.booleans(),
    backwards=st.booleans(),
    zero_masked=st.booleans(),
    use_bias=st.booleans(),
    initial=st.booleans(),
    training=st.booleans(),
    graph=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_keras(
    cell,
    shape,
    units,
    padding,
    sequences,
    backwards,
    zero_masked,
    use_bias,
    initial,
    training,
    graph,
    seed,
):
    rng = np.random.default_rng(seed)
    x, mask = rng.normal(size=shape).astype("float32"), masks(padding, *shape[:2], rng)
    options = {
        "return_sequences": sequences,
        "return_state": True,
        "go_backwards": backwards,
        "zero_output_for_mask": zero_masked,
        "use_bias": use_bias,
    }
    theirs = built(KERAS[cell][0], {**KERAS[cell][1], **options}, units, shape, seed)
    ours = built(OURS[cell][0], {**OURS[cell][1], **options}, units, shape, seed)
    states = (
        [rng.normal(size=[shape[0], units]).astype("float32") for _ in theirs.state_size]
        if initial
        else []
    )
    assert_equal(
        results(ours, x, mask, states, training, graph),
        results(theirs, x, mask, states, training),
    )


CROSSED = [
    *(
        (cell, *each)
        for cell in sorted(OURS)
        for each in (
            (True, "scattered", 0.3),
            (False, "left", 0.0),
        )
    ),
    *(
        (cell, *each)
        for cell in MODERN
        for each in ((False, "scattered", 0.3), (True, "left", 0.0))
    ),
    *thorough(
        *(
            (cell, *each)
            for cell in sorted(OURS)
            for each in ((False, "scattered", 0.0), (True, "right", 0.3))
        )
    ),
]


@pytest.mark.parametrize(("cell", "backwards", "padding", "zoneout"), CROSSED)
def test_equals_the_equations(cell, backwards, padding, zoneout):
    rng = np.random.default_rng(3)
    x, mask = rng.normal(size=[5, 8, 3]).astype("float32"), masks(padding, 5, 8, rng)
    kind, options = EVERY[cell]
    options = {
        **options,
        "return_sequences": True,
        "return_state": True,
        "go_backwards": backwards,
        "zoneout": zoneout,
    }
    layer = built(kind, options, 4, x.shape)
    states = first_states(layer, rng, [5, 4])
    outputs, *last = layer(x, mask=mask, initial_state=[v.astype("float32") for v in states])
    kept = layer._zoneouts
    expected = equations.run(
        cell, x, mask, layer.get_weights(), backwards=backwards, initial=states, kept=kept
    )
    assert_equal([outputs, *last], [expected[0], *expected[1]])


# Each is compiled in 64 bits, which nothing else is.
@pytest.mark.parametrize(
    ("cell", "backwards", "zoneout"),
    [
        *((cell, False, 0.3) for cell in ("lstm", "gru", "layernorm_lstm", "slstm")),
        *thorough(
            *(
                (cell, False, 0.3)
                for cell in sorted({*EVERY} - {"lstm", "gru", "layernorm_lstm", "slstm"})
            )
        ),
        *thorough(*((cell, True, 0.0) for cell in sorted(OURS))),
    ],
)
def test_gradients_against_finite_differences(cell, backwards, zoneout):
    rng = np.random.default_rng(4)
    x, mask = rng.normal(size=[3, 5, 3]), masks("scattered", 3, 5, rng)
    kind, options = EVERY[cell]
    options = {
        **options,
        "dtype": "float64",
        "return_sequences": True,
        "go_backwards": backwards,
        "zoneout": zoneout,
    }
    layer = built(kind, options, 4, x.shape)
    weights = layer.trainable_weights
    states = [tf.constant(state) for state in first_states(layer, rng, [3, 4])]

    def loss(x, *rest):
        for weight, value in zip(weights, rest[len(states) :], strict=True):
            weight.assign(value)
        with tf.GradientTape() as tape:
            inputs = [x, *rest[: len(states)]]
            tape.watch(inputs)
            value = tf.reduce_sum(
                tf.sin(
                    layer(x, mask=mask, initial_state=inputs[1:], training=True)
                    if zoneout == 0
                    else layer(x, mask=mask, initial_state=inputs[1:])
                )
            )
        return value, tape.gradient(value, [*inputs, *(weight.value for weight in weights)])

    point = [tf.constant(x), *states, *(tf.constant(w.numpy()) for w in weights)]
    _, gradients = loss(*point)
    for number, (value, gradient) in enumerate(zip(point, gradients, strict=True)):
        direction = rng.normal(size=value.shape)
        moved = [
            [*point[:number], value + sign * 1e-6 * direction, *point[number + 1 :]]
            for sign in (1, -1)
        ]
        numeric = float(loss(*moved[0])[0] - loss(*moved[1])[0]) / 2e-6
        loss(*point)
        np.testing.assert_allclose(np.sum(gradient * direction), numeric, rtol=1e-4, atol=1e-8)


# Every padding in both directions, and with shards alone, with both, and with segments alone.
@pytest.mark.parametrize(
    ("backwards", "padding", "shards", "segments"),
    [
        (False, None, 2, 1),
        (False, "scattered", 3, 2),
        (True, "left", 4, 3),
        (True, "scattered", 1, 4),
        *thorough(
            (True, "right", 2, 1),
            (False, "left", 2, 1),
            (False, "right", 4, 3),
            (True, None, 4, 3),
            (True, None, 1, 4),
            (False, "right", 1, 4),
        ),
    ],
)
def test_streams_and_segments_change_nothing(backwards, padding, shards, segments, monkeypatch):
    rng = np.random.default_rng(5)
    x, mask = rng.normal(size=[7, 9, 3]).astype("float32"), masks(padding, 7, 9, rng)
    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    ours, theirs = (built(kind, options, 4, x.shape) for kind in (layers.LSTM, keras.layers.LSTM))
    monkeypatch.setattr(
        scan, "plan", lambda *shape: scan.Plan(compiled=True, shards=shards, segments=segments)
    )
    # Only a graph is divided.
    found = results(ours, x, mask, [], True, graph=True)
    assert_equal(found, results(theirs, x, mask, [], True))


# Of the other cells, test_recurrent asks the layers.
@pytest.mark.parametrize(
    "cell", ["gru", "lstm", *thorough(*sorted(EVERY.keys() - {"gru", "lstm"}))]
)
def test_nothing_in_the_padding_leaks(cell):
    rng = np.random.default_rng(6)
    x, mask = rng.normal(size=[4, 7, 3]).astype("float32"), masks("scattered", 4, 7, rng)
    kind, options = EVERY[cell]
    layer = built(kind, {**options, "return_sequences": True}, 4, x.shape)
    upstream = rng.normal(size=[4, 7, 4]).astype("float32") * mask[:, :, None]

    def run(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, mask=mask, training=True)
        return outputs, tape.gradient(outputs, [x, *layer.trainable_variables], upstream)

    clean = run(tf.constant(x), tf.constant(upstream))
    noise = np.where(mask[:, :, None], 0, np.nan).astype("float32")
    found = run(tf.constant(x + noise), tf.constant(upstream + noise))
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(clean), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_narrow_types_are_computed_wide(dtype):
    x, _ = np.random.default_rng(7).normal(size=[2, 3, 5, 4]).astype("float32")
    narrow, wide = (
        built(layers.LSTM, {"dtype": dtype}, 4, x.shape),
        built(layers.LSTM, {}, 4, x.shape),
    )
    found = narrow(x)
    assert found.dtype == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(found, tf.float32), wide(x), atol=2e-2)


def test_a_second_derivative_is_refused():
    layer = built(layers.GRU, {}, 3, (2, 4, 3))
    x = tf.ones([2, 4, 3])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            value = tf.reduce_sum(layer(x) ** 2)
        gradient = inner.gradient(value, x)
    with pytest.raises(LookupError, match="first derivatives only"):
        outer.gradient(gradient, x)


def test_falls_back_and_says_why_once():
    recurrent._warned.clear()
    x = np.ones([2, 4, 3], "float32")
    odd = built(layers.LSTM, {"activation": "relu"}, 3, x.shape)
    with pytest.warns(UserWarning, match="Keras's loop.*activations"):
        found = odd(x)
    np.testing.assert_allclose(
        found, built(keras.layers.LSTM, {"activation": "relu"}, 3, x.shape)(x), atol=1e-6
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        odd(x)
    with pytest.warns(UserWarning, match="recurrent_dropout"):
        layers.GRU(3, recurrent_dropout=0.2)(x, training=True)


def test_input_dropout_is_keras_s():
    x = np.random.default_rng(8).normal(size=[3, 5, 4]).astype("float32")
    ours, theirs = (
        built(kind, {"dropout": 0.4, "seed": 3}, 4, x.shape)
        for kind in (layers.GRU, keras.layers.GRU)
    )
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-6)


def test_weight_drop_leaves_out_recurrent_weights_in_training_only():
    x = np.random.default_rng(9).normal(size=[3, 5, 4]).astype("float32")
    dropping = built(layers.LSTM, {"weight_drop": 0.5, "seed": 1}, 6, x.shape)
    plain = built(layers.LSTM, {}, 6, x.shape)
    np.testing.assert_array_equal(dropping(x), plain(x))
    recurrent_kernel = dropping.cell.recurrent_kernel
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(dropping(x, training=True))
    gradient = tape.gradient(value, recurrent_kernel.value).numpy()
    dropped = gradient == 0
    assert 0.3 < dropped.mean() < 0.7
    weights = dropping.get_weights()
    weights[1] = np.where(dropped, 0, weights[1] / 0.5)
    plain.set_weights(weights)
    with tf.GradientTape() as tape:
        expected = tf.reduce_sum(plain(x, training=True))
    np.testing.assert_allclose(value, expected, atol=1e-5)
    np.testing.assert_allclose(
        gradient,
        tape.gradient(expected, plain.cell.recurrent_kernel.value) * ~dropped * 2,
        atol=1e-5,
    )


def test_zoneout_updates_states_in_training():
    x = np.random.default_rng(10).normal(size=[64, 2, 4]).astype("float32")
    layer = built(
        layers.LSTM, {"zoneout": (0.25, 0.5), "return_state": True, "seed": 2}, 32, x.shape
    )
    h, c = (np.full([64, 32], value, "float32") for value in (0.125, 0.375))
    _, new_h, new_c = layer(x[:, :1], initial_state=[h, c], training=True)
    assert abs(np.mean(new_h == h) - 0.25) < 0.03
    assert abs(np.mean(new_c == c) - 0.5) < 0.03


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zoneout": 1.0}, "zoneout must be in"),
        ({"weight_drop": -0.1}, "weight_drop must be in"),
        ({"zoneout": (0.1, 0.1, 0.1)}, "one number or 2"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(ValueError, match=message):
        layers.LSTM(3, **options)
    with pytest.raises(ValueError, match="reset_after must be true"):
        layers.LayerNormGRU(3, reset_after=False)
    with pytest.raises(ValueError, match="cannot join"):
        layers.LSTM(3, zoneout=0.1, activation="relu")(np.ones([1, 2, 3], "float32"))


@given(n=st.integers(1, 5000), steps=st.sampled_from([4, 8]))
@settings(deadline=None)
def test_few_shapes_are_compiled(n, steps):
    found = int(rounded(tf.constant(n), steps))
    assert n <= found <= max(n * (1 + 1 / steps), n + 1)


def test_lengths_share_compilations():
    lengths = {int(rounded(tf.constant(n), 4)) for n in range(1, 513)}
    assert len(lengths) < 40


def test_the_fast_loop_runs_by_default():
    """The fast loop is what runs by default: the graph holds XLA's functions and no loop of
    Keras's.
    """
    layer = built(layers.LSTM, {"return_sequences": True}, 3, (2, 4, 3))
    graph = (
        tf.function(lambda x: layer(x, training=True))
        .get_concrete_function(tf.TensorSpec([None, None, 3]))
        .graph
    )
    written = graph.as_graph_def()
    functions = {each.signature.name: each.node_def for each in written.library.function}

    def nodes(part):
        for node in part:
            yield node
            if node.op.endswith("PartitionedCall") and "_XlaMustCompile" not in node.attr:
                yield from nodes(functions[node.attr["f"].func.name])

    found = list(nodes(written.node))
    assert [node for node in found if "_XlaMustCompile" in node.attr]
    assert not [node for node in found if node.op in ("While", "StatelessWhile")]
