import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers import CELLS, Stack, exporting
from tests.layers import EVERY_FAMILY, equations
from tests.thorough import thorough

THEIRS = {"simple": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
FORMS = ("training", "served")
COMMON = ("simple", "gru", "lstm", "slstm")
"""Cells of every run; the other ones are compared in `make check`."""


def inputs(batch, time, features, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, time + 1, batch)
    return rng.normal(size=[batch, time, features]).astype("float32"), np.arange(time) < lengths[
        :, None
    ]


def randomise(layer, seed=1):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cell", [*COMMON, *thorough(*sorted({*CELLS} - {*COMMON}))])
@settings(max_examples=4, deadline=None)
@given(
    shape=st.sampled_from([(1, 1, 5), (2, 7, 1), (4, 5, 3)]),  # each is compiled
    units=st.sampled_from([1, 5]),
    seed=st.integers(0, 99),
)
def test_equals_the_equations(cell, form, shape, units, seed):
    x, mask = inputs(*shape, seed)
    layer = CELLS[cell](units, return_sequences=True)
    layer.build(x.shape)
    randomise(layer, seed)
    with exporting(form):
        found = layer(x, mask=mask)
    np.testing.assert_allclose(
        found, equations.run(cell, x, mask, layer.get_weights(), units=units)[0], atol=1e-5
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("cell", sorted(THEIRS))
def test_equals_keras_with_its_weights(cell, sequences, backwards, form):
    x, mask = inputs(5, 9, 4)
    options = {"return_sequences": sequences, "go_backwards": backwards}
    ours, theirs = CELLS[cell](6, **options), THEIRS[cell](6, **options)
    ours.build(x.shape)
    theirs.build(x.shape)
    randomise(ours)
    theirs.set_weights(ours.get_weights())
    with exporting(form):
        found = ours(x, mask=mask)
    np.testing.assert_allclose(found, theirs(x, mask=mask), atol=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_lite_form_equals_keras(sequences, backwards):
    x, _ = inputs(1, 9, 4)
    layer = CELLS["lstm"](6, return_sequences=sequences, go_backwards=backwards)
    expected = layer(x)
    with exporting("lite"):
        np.testing.assert_allclose(layer(x), expected, atol=1e-6)


def test_lite_form_heeds_the_states_given():
    x, _ = inputs(1, 9, 4)
    layer = CELLS["lstm"](6)
    states = [np.full([1, 6], value, "float32") for value in (0.5, -0.5)]
    expected = layer(x, initial_state=states)
    with exporting("lite"):
        np.testing.assert_allclose(layer(x, initial_state=states), expected, atol=1e-6)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_configuration_round_trip(cell):
    layer = CELLS[cell](6, return_sequences=True, dropout=0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(("bidirectional", "form"), [(False, "training"), (True, "served")])
@pytest.mark.parametrize("cell", EVERY_FAMILY)
def test_padding_and_what_stands_in_it_change_nothing(cell, bidirectional, form):
    keras.utils.set_random_seed(0)  # normalised twice, some weights blow rounding up
    x, _ = inputs(3, 5, 4)
    stack = Stack(cell, 6, depth=2, bidirectional=bidirectional, residual=True, layer_norm=True)
    mask = np.ones([3, 5], bool)
    with exporting(form):
        expected = stack(x, mask=mask)
        padded = np.concatenate([x, np.full([3, 4, 4], 1e3, "float32")], axis=1)
        found = stack(padded, mask=np.concatenate([mask, np.zeros([3, 4], bool)], axis=1))
    np.testing.assert_allclose(found[:, :5], expected, atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("residual", [False, True])
def test_stack_shapes_and_saving(tmp_path, bidirectional, residual):
    x = keras.Input([None, 8])
    stack = Stack(
        "gru",
        4,
        depth=3,
        bidirectional=bidirectional,
        residual=residual,
        layer_norm=True,
        dropout=0.3,
    )
    model = keras.Model(x, stack(x))
    assert model.output_shape == (None, None, 8 if bidirectional else 4)
    data, _ = inputs(2, 5, 8)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras")(data), model(data))


def test_residual_adds_the_input():
    x, mask = inputs(2, 5, 4)
    plain, residual = Stack("lstm", 4), Stack("lstm", 4, residual=True)
    plain.build(x.shape)
    residual.build(x.shape)
    residual.set_weights(plain.get_weights())
    np.testing.assert_allclose(residual(x, mask=mask), plain(x, mask=mask) + x, atol=1e-6)


def test_stack_mistakes():
    with pytest.raises(ValueError, match="simple, gru, lstm, layernorm_gru, layernorm_lstm"):
        Stack("ltsm", 4)
    with pytest.raises(ValueError, match="depth"):
        Stack("lstm", 4, depth=0)
