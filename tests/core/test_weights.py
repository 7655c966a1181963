"""Weights by names that do not depend on the process."""

import keras
import numpy as np
import pytest

from rnnsuite.core.weights import copy_weights, named_weights, stable_names
from rnnsuite.layers import LSTM, Dropout


def model(units=4):
    x = keras.Input([None, 3], name="x")
    h = Dropout(0.3, name="drop")(LSTM(units, name="recurrent")(x))
    return keras.Model(x, keras.layers.Dense(2, name="out")(h))


def test_names_are_the_same_however_much_was_built_before():
    first = named_weights(model())
    for _ in range(3):
        keras.layers.Dense(1).build((1, 1))
        LSTM(2)
    assert named_weights(model()).keys() == first.keys()
    assert "recurrent/0/kernel" in first
    assert not [name for name in first if "seed" in name]


def test_copied_weights_give_the_same_answers():
    one = model()
    other = model()
    copy_weights(other, {name: weight.numpy() for name, weight in named_weights(one).items()})
    x = np.ones([2, 5, 3], "float32")
    np.testing.assert_array_equal(one(x), other(x))


def test_what_does_not_fit_is_told():
    weights = {name: weight.numpy() for name, weight in named_weights(model()).items()}
    with pytest.raises(ValueError, match="shape"):
        copy_weights(model(5), weights)
    del weights["out/0/kernel"]
    with pytest.raises(KeyError, match="out/0/kernel"):
        copy_weights(model(), weights)


def test_paths_have_names_without_keras_s_numbers():
    paths = ["recurrent/lstm_18/cell", "recurrent/lstm_19/cell", "dense_2", "layer_2_norm"]
    assert list(stable_names(paths).values()) == [
        "recurrent/lstm/cell",
        "recurrent/lstm/cell (2)",
        "dense",
        "layer_2_norm",
    ]
    assert stable_names(["a_1", "a_1", "a_2"]) == {"a_1": "a", "a_2": "a (2)"}
