"""Weights stored in 16 bits: the same answers wherever they are loaded, and half the bytes."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.core.errors import UserError
from rnnsuite.layers import GRU
from rnnsuite.pipeline.export import child, loader, saved_model
from rnnsuite.pipeline.export.float16_weights import round_weights

X = np.random.default_rng(0).normal(size=[2, 5, 3]).astype("f")


def made(seed):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input([None, 3])
    return round_weights(keras.Model(inputs, keras.layers.Dense(4)(GRU(64)(inputs))))


def write(model, folder, float16=True):
    def serve(x, scale):
        return {"y": scale * model(x, training=False)}

    specs = {
        "scale": tf.TensorSpec([], tf.float32, "scale"),
        "x": tf.TensorSpec([None, None, 3], tf.float32, "x"),
    }
    defaults = {"scale": np.float32(1)}
    signature = Signature(serve, specs, {"x": X, **defaults}, defaults=defaults)
    saved_model.write({"serving_default": signature}, folder, float16=float16)
    return folder


def size(folder):
    return sum(path.stat().st_size for path in (folder / "variables").iterdir())


def ask(loaded):
    return loaded.signatures["serving_default"](x=tf.constant(X), scale=tf.constant(1.0))[
        "y"
    ].numpy()


def test_half_the_bytes_and_the_same_answers_side_by_side(tmp_path):
    one, other = made(1), made(2)
    folders = [
        write(one, tmp_path / "one"),
        write(other, tmp_path / "other"),
        write(one, tmp_path / "full", float16=False),
    ]
    assert size(folders[0]) < 0.6 * size(folders[2])
    # Several versions live in one process; none may take another's memory for its own.
    loaded = [tf.saved_model.load(str(folder)) for folder in (*folders, folders[0])]
    for model, found in zip((one, other, one, one), loaded, strict=True):
        np.testing.assert_allclose(ask(found), model(X), atol=1e-6)


def test_the_cpp_loader_fills_them_too(tmp_path):
    model = made(3)
    folder = write(model, tmp_path / "m")
    requests, answers = tmp_path / "requests.json", tmp_path / "answers.json"
    requests.write_text(json.dumps([{"x": X.tolist()}, {"x": X.tolist(), "scale": 2.0}]))
    child.run_file(loader.__file__, folder, requests, answers)
    plain, doubled = (np.array(each["y"]) for each in json.loads(answers.read_text()))
    np.testing.assert_allclose(plain, model(X), atol=1e-6)
    np.testing.assert_allclose(doubled, 2 * plain, atol=1e-6)


def test_rounding_is_to_what_16_bits_hold():
    model = made(4)
    for weight in model.weights:
        np.testing.assert_array_equal(
            np.asarray(weight), np.asarray(weight).astype(np.float16).astype(np.float32)
        )


def test_a_weight_that_is_too_large_is_named():
    model = made(5)
    model.layers[-1].kernel.assign(np.full([64, 4], 1e5))
    with pytest.raises(UserError, match=r"dense.*/kernel has values over 65504"):
        round_weights(model)
