"""Paths that are drawn value by value."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from scipy import stats

from apps.forecasting.autoregressive import paths, quantiles
from apps.forecasting.config import ModelConfig
from apps.forecasting.data import Fitted
from apps.forecasting.model import build, forecast, loss
from rnnsuite.core.errors import UserError
from rnnsuite.tasks.forecasting import distributions
from tests.processes import python_forked
from tests.thorough import thorough

FITTED = Fitted(3600, "second", 24, ("price",), 12, 6, "none", "absolute", ((86400, 1),))
BARE = Fitted(1, "step", 1, (), 12, 6, "none", "absolute", ())
LEVELS = (0.1, 0.5, 0.9)


def config(**changes):
    settings = {"kind": "autoregressive", "units": 5, "levels": LEVELS, "dropout": 0.0, "paths": 16}
    return ModelConfig(**{**settings, **changes})


def inputs(fitted, batch=3):
    rng = np.random.default_rng(0)
    values = {
        "values": rng.normal(size=[batch, 12]),
        "observed": np.ones([batch, 12]),
        "ahead": np.stack([rng.normal(size=[batch, 6]), np.ones([batch, 6])], axis=-1),
    }
    if fitted.features():
        values["features"] = rng.normal(size=[batch, 18, fitted.features()])
    return {name: value.astype(np.float32) for name, value in values.items()}


def window(values):
    return {name: tf.constant(value) for name, value in values.items() if name != "ahead"}


class Recorded(distributions.Gaussian):
    """Draws the values that it is told, and remembers what it was made of."""

    numbers: list = []
    truth: np.ndarray

    def __init__(self, numbers, scale):
        super().__init__(numbers, scale)
        self.numbers.append(numbers.numpy())

    def quantile(self, level):
        step = len(self.numbers) - 1
        return tf.repeat(tf.constant(self.truth[:, step]), level.shape[0] // len(self.truth))


@pytest.mark.parametrize("fitted", [FITTED, BARE], ids=["features", "bare"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_drawing_sees_what_training_sees(monkeypatch, fitted, cell):
    """Where the true values are drawn, every step's distribution is that of training."""
    settings = config(cell=cell, depth=2, distribution="gaussian", paths=2)
    model = build(settings, fitted)
    values = inputs(fitted)
    taught = model(values)["numbers"].numpy()
    monkeypatch.setattr(Recorded, "numbers", [])
    monkeypatch.setattr(Recorded, "truth", values["ahead"][..., 0], raising=False)
    monkeypatch.setitem(distributions.DISTRIBUTIONS, "gaussian", Recorded)
    drawn = paths(settings, fitted, model, window(values), tf.ones([3, 1]))
    seen = np.stack(Recorded.numbers, axis=1)[::2]
    np.testing.assert_allclose(seen, taught, atol=1e-5)
    np.testing.assert_array_equal(drawn[:, 0], values["ahead"][..., 0])


@pytest.mark.parametrize("distribution", distributions.DISTRIBUTIONS)
def test_rows_do_not_know_of_each_other(distribution):
    settings = config(distribution=distribution)
    model = build(settings, FITTED)
    values = window(inputs(FITTED))
    scale = tf.constant([[1.0], [30.0], [2.0]])
    whole = forecast(settings, FITTED, model, values, scale)
    assert whole["mean"].shape == (3, 6)
    assert (np.diff(whole["quantiles"], axis=-1) >= 0).all()
    one = {name: value[1:2] for name, value in values.items()}
    alone = forecast(settings, FITTED, model, one, scale[1:2])
    for name, value in alone.items():
        np.testing.assert_allclose(value[0], whole[name][1], rtol=1e-5, atol=1e-6)


def test_quantiles_are_those_of_the_distribution():
    """Of a network that knows nothing, all values are drawn from one distribution."""
    settings = config(distribution="student", paths=400)
    model = build(settings, BARE)
    head = model.get_layer("head")
    head.set_weights([np.zeros([5, 3]), np.array([2.0, 0.5, 1.0])])
    found = forecast(settings, BARE, model, window(inputs(BARE)), tf.ones([3, 1]))
    freedom = np.log1p(np.exp(1.0)) + distributions.FREEDOM
    expected = stats.t.ppf(LEVELS, freedom, 2.0, np.log1p(np.exp(0.5)))
    np.testing.assert_allclose(found["quantiles"], np.tile(expected, [3, 6, 1]), atol=0.01)
    np.testing.assert_allclose(found["mean"], 2.0, atol=0.01)


def test_quantiles_over_paths():
    drawn = tf.reshape(tf.range(10.0), [1, 10, 1])
    np.testing.assert_allclose(
        quantiles(drawn, tf.constant([0.001, 0.05, 0.5, 0.999]))[0, 0], [0, 0, 4.5, 9]
    )


@pytest.mark.parametrize("distribution", ["student", *thorough("gaussian")])
def test_a_random_walk_is_learned(distribution):
    """Its forecasts spread with the square root of time."""
    keras.utils.set_random_seed(0)
    settings = config(units=16, distribution=distribution, paths=200)
    model = build(settings, BARE)
    optimizer = keras.optimizers.Adam(0.02)
    rng = np.random.default_rng(0)

    def batch(count):
        walk = np.cumsum(rng.normal(size=[count, 18]), axis=1).astype(np.float32)
        walk -= walk[:, 11:12]
        ahead = np.stack([walk[:, 12:], np.ones([count, 6])], axis=-1).astype(np.float32)
        values = {"values": walk[:, :12], "observed": np.ones([count, 12], np.float32)}
        targets = {
            "truth": tf.constant(walk[:, 12:]),
            "observed": tf.ones([count, 6]),
            "weight": tf.ones([count]),
            "scale": tf.ones([count]),
        }
        return {**values, "ahead": ahead}, targets

    @tf.function(reduce_retracing=True)
    def step(values, targets):
        with tf.GradientTape() as tape:
            total = tf.reduce_mean(loss(settings, targets, model(values, training=True))["loss"])
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(total, weights), weights)
        return total

    for _ in range(250):
        last = step(*batch(128))
    assert float(last) < 1.05 * 0.5 * np.log(2 * np.pi * np.e)  # the entropy of a step
    values, _ = batch(64)
    found = forecast(settings, BARE, model, window(values), tf.ones([64, 1]))
    width = np.mean(found["quantiles"][..., 2] - found["quantiles"][..., 0], axis=0)
    expected = 2 * stats.norm.ppf(0.9) * np.sqrt(np.arange(1, 7))
    np.testing.assert_allclose(width, expected, rtol=0.15)


class TestCounts:
    def test_windows_must_leave_counts(self):
        centred = dataclasses.replace(BARE, center="mean")
        with pytest.raises(UserError, match=r"data\.scale: absolute and data\.power: 1"):
            build(config(distribution="negative_binomial"), centred)

    def test_values_must_be_counts(self):
        odd = dataclasses.replace(BARE, no_count="-2 in 'shop 3'")
        with pytest.raises(UserError, match="of counts, and -2 in 'shop 3' is none"):
            build(config(distribution="negative_binomial"), odd)


DEVICE = """
import sys
import numpy as np
import tensorflow as tf
from rnnsuite.app import Signature
from rnnsuite.layers import exporting
from rnnsuite.pipeline.export import lite
from apps.forecasting.model import build, forecast
from tests.apps.forecasting.test_autoregressive import FITTED, config, inputs, window

settings = config(distribution="student", cell="lstm")
model = build(settings, FITTED)
request = {name: value[:1] for name, value in window(inputs(FITTED)).items()}
expected = forecast(settings, FITTED, model, request, tf.ones([1, 1]))

def ask(**request):
    return forecast(settings, FITTED, model, request, tf.ones([1, 1]))

specs = {name: tf.TensorSpec(value.shape, name=name) for name, value in request.items()}
with exporting("lite"):
    files = lite.converted({"ask": Signature(ask, specs, {}, lite=True)}, ["float32"])
open(sys.argv[1], "wb").write(files["float32"])
np.savez(sys.argv[2], **request, **expected)
"""


def test_paths_on_a_device(tmp_path):
    """The same values as the model's own: what is drawn is drawn at the same levels."""
    places = tmp_path / "float32.tflite", tmp_path / "expected.npz"
    status, said = python_forked(["-c", DEVICE, *map(str, places)])
    assert status == 0, said[-2000:]
    expected = np.load(places[1])
    ask = Interpreter(model_path=str(places[0])).get_signature_runner("ask")
    found = ask(**{name: expected[name] for name in window(inputs(FITTED))})
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5)
