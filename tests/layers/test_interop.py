import keras
import numpy as np
import pytest

from rnnsuite import layers
from rnnsuite.layers import to_keras, to_rnnsuite
from tests.processes import python_forked

WITHOUT_US = """
import sys, keras, numpy as np
folder, x = sys.argv[1], np.load(sys.argv[1] + "/x.npy")
kinds = [keras.layers.LSTM, keras.layers.Bidirectional]
names = {f"rnnsuite>{k.__name__}": k for k in kinds}
model = keras.models.load_model(folder + "/ours.keras", custom_objects=names)
assert not [name for name in sys.modules if name.startswith("rnnsuite")]
np.testing.assert_allclose(model(x), np.load(folder + "/y.npy"), atol=1e-5)
"""


def model(library, cell, wrap):
    keras.utils.set_random_seed(0)
    layer = getattr(library, cell)(5, return_sequences=True)
    if wrap:
        layer = library.Bidirectional(layer)
    x = keras.Input([None, 3])
    y = keras.layers.Masking()(x)
    return keras.Model(x, keras.layers.Dense(2)(layer(y)))


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("cell", ["SimpleRNN", "GRU", "LSTM"])
def test_models_weights_and_files_move_both_ways(tmp_path, cell, wrap):
    x = np.random.default_rng(0).normal(size=[4, 6, 3]).astype("float32")
    x[1, 3:] = 0
    theirs = model(keras.layers, cell, wrap)
    expected = theirs(x)
    ours = to_rnnsuite(theirs)
    kind = getattr(layers, "Bidirectional" if wrap else cell)
    assert any(type(layer) is kind for layer in ours.layers)
    np.testing.assert_allclose(ours(x), expected, atol=1e-5)
    again = to_keras(ours)
    assert any(type(layer) is getattr(keras.layers, kind.__name__) for layer in again.layers)
    np.testing.assert_allclose(again(x), expected, atol=1e-6)
    # Weight files and whole files.
    theirs.save_weights(tmp_path / "a.weights.h5")
    fresh = model(layers, cell, wrap)
    fresh.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_allclose(fresh(x), expected, atol=1e-5)
    ours.save(tmp_path / "ours.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "ours.keras")(x), ours(x))
    fresh.save_weights(tmp_path / "b.weights.h5")
    theirs.load_weights(tmp_path / "b.weights.h5")
    np.testing.assert_allclose(theirs(x), expected, atol=1e-6)


def test_a_file_of_ours_is_read_where_rnnsuite_is_not(tmp_path):
    x = np.random.default_rng(0).normal(size=[4, 6, 3]).astype("float32")
    ours = model(layers, "LSTM", wrap=True)
    ours.save(tmp_path / "ours.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", ours(x))
    status, said = python_forked(["-I", "-c", WITHOUT_US, str(tmp_path)])
    assert status == 0, said[-2000:]


def test_what_keras_does_not_have_is_refused():
    x = keras.Input([None, 3])
    with pytest.raises(ValueError, match="no zoneout"):
        to_keras(keras.Model(x, layers.LSTM(2, zoneout=0.1)(x)))
