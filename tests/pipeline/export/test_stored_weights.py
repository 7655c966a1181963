"""Weights stored in 16 or 8 bits: the same answers wherever they are loaded, in fewer bytes."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnnsuite.app import Signature
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import write_json
from rnnsuite.core.weights import named_weights
from rnnsuite.layers import GRU
from rnnsuite.pipeline.export import child, loader, saved_model
from rnnsuite.pipeline.export.stored_weights import round_weights, shortened
from rnnsuite.pipeline.inference.saved_model import exported_start

X = np.random.default_rng(0).normal(size=[2, 5, 3]).astype("f")


KINDS = pytest.mark.parametrize("kind", ["float16", "int8"])


def made(seed, kind):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input([None, 3])
    return round_weights(keras.Model(inputs, keras.layers.Dense(4)(GRU(64)(inputs))), kind)


def write(model, folder, kind, weights=None):
    def serve(x, scale):
        return {"y": scale * model(x, training=False)}

    specs = {
        "scale": tf.TensorSpec([], tf.float32, "scale"),
        "x": tf.TensorSpec([None, None, 3], tf.float32, "x"),
    }
    defaults = {"scale": np.float32(1)}
    signature = Signature(serve, specs, {"x": X, **defaults}, defaults=defaults)
    saved_model.write({"serving_default": signature}, folder, stored_as=kind, weights=weights)
    return folder


def size(folder):
    return sum(path.stat().st_size for path in (folder / "variables").iterdir())


def ask(loaded):
    return loaded.signatures["serving_default"](x=tf.constant(X), scale=tf.constant(1.0))[
        "y"
    ].numpy()


@KINDS
def test_fewer_bytes_and_the_same_answers_side_by_side(kind, tmp_path):
    one, other = made(1, kind), made(2, kind)
    folders = [
        write(one, tmp_path / "one", kind),
        write(other, tmp_path / "other", kind),
        write(one, tmp_path / "full", None),
    ]
    assert size(folders[0]) < {"float16": 0.6, "int8": 0.4}[kind] * size(folders[2])
    # Several versions live in one process; none may take another's memory for its own.
    loaded = [tf.saved_model.load(str(folder)) for folder in (*folders, folders[0])]
    for model, found in zip((one, other, one, one), loaded, strict=True):
        np.testing.assert_allclose(ask(found), model(X), atol=1e-6)


@KINDS
def test_the_cpp_loader_fills_them_too(kind, tmp_path):
    model = made(3, kind)
    folder = write(model, tmp_path / "m", kind)
    requests, answers = tmp_path / "requests.json", tmp_path / "answers.json"
    requests.write_text(json.dumps([{"x": X.tolist()}, {"x": X.tolist(), "scale": 2.0}]))
    child.run_file(loader.__file__, folder, requests, answers)
    plain, doubled = (np.array(each["y"]) for each in json.loads(answers.read_text()))
    np.testing.assert_allclose(plain, model(X), atol=1e-6)
    np.testing.assert_allclose(doubled, 2 * plain, atol=1e-6)


def test_rounding_is_to_what_16_bits_hold():
    for weight in made(4, "float16").weights:
        np.testing.assert_array_equal(
            np.asarray(weight), np.asarray(weight).astype(np.float16).astype(np.float32)
        )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=4, max_side=6),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_int8_is_half_a_level_off_at_most_and_rounds_once(value):
    codes, scale = shortened(value, "int8")
    assert codes.dtype == np.int8
    assert max(scale.shape[0], scale.shape[-1]) == scale.size
    rounded = codes.astype(np.float32) * scale
    assert np.all(np.abs(rounded - value) <= 0.5001 * scale + 1e-30)
    again, scale = shortened(rounded, "int8")
    np.testing.assert_allclose(again.astype(np.float32) * scale, rounded, rtol=1e-5, atol=1e-30)


def test_rows_or_columns_of_unlike_size_have_scales_of_their_own():
    random = np.random.default_rng(1)
    value = (random.normal(size=[40, 6]) * random.choice([0.01, 1.0], [40, 1])).astype(np.float32)
    assert shortened(value, "int8")[1].shape == (40, 1)
    assert shortened(value.T, "int8")[1].shape == (1, 40)


@KINDS
@pytest.mark.parametrize("value", [np.inf, np.nan, 1e5])
def test_a_weight_that_cannot_be_held_is_named(kind, value):
    model = made(5, kind)
    model.layers[-1].kernel.assign(np.full([64, 4], value))
    if (kind, value) == ("int8", 1e5):
        round_weights(model, kind)
        return
    with pytest.raises(UserError, match=rf"dense.*/kernel has values that {kind} cannot hold"):
        round_weights(model, kind)


@pytest.mark.parametrize("kind", [None, "float16", "int8"])
def test_another_training_can_begin_with_all_weights(kind, tmp_path):
    """With those, too, that no signature uses."""
    model = made(6, kind or "float16")
    spare = keras.Variable(np.diag([1.0, 2.0, 127.0]).astype("f"))
    weights = {**named_weights(model), "spare/0/kernel": spare}
    folder = write(model, tmp_path / "m", kind, weights)
    for file in ("model_card.json", "fitted.json"):
        write_json(folder / "assets.extra" / file, {"name": "any", "config": {}})
    start = exported_start(folder)
    assert start.weights.keys() == weights.keys()
    for name, weight in weights.items():
        np.testing.assert_allclose(start.weights[name], weight, rtol=1e-6, atol=1e-7)
