"""Networks of both kinds, and intervals that are corrected by held-out windows."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from apps.forecasting.config import ModelConfig
from apps.forecasting.data import Fitted
from apps.forecasting.model import build, loss
from rnnsuite.core.errors import UserError
from rnnsuite.core.weights import named_weights
from rnnsuite.tasks.forecasting import losses
from rnnsuite.tasks.forecasting.losses import conformal, pairs
from tests.processes import python_forked

FITTED = Fitted(3600, "second", 24, ("price",), 12, 6, "last", "deviation", ((86400, 1),))
BARE = Fitted(1, "step", 1, (), 12, 6, "last", "deviation", ())
LEVELS = (0.1, 0.5, 0.9)


def config(**changes):
    return ModelConfig(**{"units": 5, "segment": 3, "levels": LEVELS, "dropout": 0.0, **changes})


def given(fitted, batch=4, seed=0):
    rng = np.random.default_rng(seed)
    values = {
        "values": rng.normal(size=[batch, 12]),
        "observed": np.ones([batch, 12]),
        "ahead": rng.normal(size=[batch, 6, 2]),
    }
    if fitted.features():
        values["features"] = rng.normal(size=[batch, 18, fitted.features()])
    return {name: value.astype(np.float32) for name, value in values.items()}


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("kind", ["segments", "steps"])
@pytest.mark.parametrize("fitted", [FITTED, BARE], ids=["features", "bare"])
def test_rows_do_not_know_of_each_other(kind, cell, fitted):
    model = build(config(kind=kind, cell=cell, depth=2), fitted)
    inputs = given(fitted)
    whole = model(inputs)
    assert whole["mean"].shape == (4, 6)
    assert whole["quantiles"].shape == (4, 6, 3)
    assert (np.diff(whole["quantiles"], axis=-1) >= 0).all()
    alone = model({name: value[2:3] for name, value in inputs.items()})
    for name, value in alone.items():
        np.testing.assert_allclose(value[0], whole[name][2], atol=1e-6)


@pytest.mark.parametrize("kind", ["segments", "steps"])
def test_every_step_has_its_own_features(kind):
    """A step to come is told by what is known of it, and of its own segment alone."""
    model = build(config(kind=kind), FITTED)
    inputs = given(FITTED)
    before = model(inputs)["mean"]
    inputs["features"][:, 12 + 4] += 1.0
    changed = np.abs(model(inputs)["mean"] - before).max(axis=0) > 1e-7
    expected = [False, False, False, True, True, True]
    if kind == "steps":  # which read on
        expected = [False, False, False, False, True, True]
    assert list(changed) == expected


@pytest.mark.parametrize("kind", ["segments", "steps"])
def test_a_linear_model_is_added(kind):
    """It begins with nothing; then each step is moved by what it makes of the values, and each
    number by what it makes of the step's features.
    """
    keras.utils.set_random_seed(0)
    model = build(config(kind=kind, linear=True), FITTED)
    keras.utils.set_random_seed(0)
    bare = build(config(kind=kind), FITTED)
    inputs = given(FITTED)
    layer = model.get_layer("linear")
    assert not np.any(layer.get_weights()[0])
    kernel = np.random.default_rng(1).normal(size=[12, 6]).astype(np.float32)
    layer.set_weights([kernel, np.zeros([6], np.float32)])
    of_features = model.get_layer("linear_features")
    assert not np.any(of_features.get_weights()[0])
    rows = np.random.default_rng(2).normal(size=of_features.kernel.shape).astype(np.float32)
    rows[:, 1:] = rows[:, 1:2]  # the same to all quantiles, which are sorted
    of_features.set_weights([rows])
    for name, weight in named_weights(bare).items():
        named_weights(model)[name].assign(weight)
    moved = (inputs["values"] @ kernel)[..., None] + inputs["features"][:, 12:] @ rows
    before, after = bare(inputs), model(inputs)
    np.testing.assert_allclose(after["mean"], before["mean"] + moved[..., 0], rtol=1e-4, atol=1e-5)
    expected = before["quantiles"] + moved[..., 1:]
    np.testing.assert_allclose(after["quantiles"], expected, rtol=1e-4, atol=1e-5)


DEVICE = """
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from rnnsuite.app import Signature
from rnnsuite.layers import exporting
from rnnsuite.pipeline.export import lite
from apps.forecasting.model import build, forecast
from tests.apps.forecasting.test_model import BARE, config, given

for kind in ("segments", "steps"):
    settings = config(kind=kind, linear=True)
    model = build(settings, BARE)

    def ask(values, observed):
        request = {"values": values, "observed": observed}
        return forecast(settings, BARE, model, request, tf.ones([1, 1]))

    specs = {name: tf.TensorSpec([1, 12], name=name) for name in ("values", "observed")}
    with exporting("lite"):
        (content,) = lite.converted(
            {"ask": Signature(ask, specs, {}, lite=True)}, ["float32"]
        ).values()
    request = {name: tf.constant(given(BARE, batch=1)[name]) for name in specs}
    runner = Interpreter(model_content=content).get_signature_runner("ask")
    for name, value in runner(**request).items():
        np.testing.assert_allclose(value, ask(**request)[name], rtol=1e-4, atol=1e-5)
"""


def test_a_linear_model_without_features_on_a_device():
    """The converter tripped over a sum that was left to broadcasting."""
    status, said = python_forked(["-c", DEVICE])
    assert status == 0, said[-2000:]


def test_segments_must_fit():
    with pytest.raises(UserError, match=r"model\.segment: 5 does not divide"):
        build(config(segment=5), FITTED)


def test_levels_must_rise():
    with pytest.raises(UserError, match="do not rise"):
        build(config(levels=(0.5, 0.1)), FITTED)


class TestLoss:
    def test_by_hand(self):
        targets = {
            "truth": tf.constant([[1.0, 2.0, 9.0]]),
            "observed": tf.constant([[1.0, 1.0, 0.0]]),
            "weight": tf.constant([2.0]),
        }
        outputs = {
            "mean": tf.constant([[1.5, 2.0, 0.0]]),
            "quantiles": tf.constant([[[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [0.0, 0.0, 0.0]]]),
        }
        found = loss(config(quantile_weight=0.5), targets, outputs)
        assert float(found["error"][0]) == pytest.approx(((0.5 * 2) ** 2 + 0) / 2)
        first = (0.1 * 2 + 0 + 0.1 * 2) / 3
        second = (0 + 0.5 * 2 + 0.1 * 4) / 3
        assert float(found["quantile_loss"][0]) == pytest.approx(2 * (first + second) / 2)
        assert float(found["loss"][0]) == pytest.approx(
            float(found["error"][0] + 0.5 * found["quantile_loss"][0])
        )
        absolute = loss(config(error="absolute"), targets, outputs)
        assert float(absolute["error"][0]) == pytest.approx(0.5)

    @pytest.mark.parametrize("series", [0, 3])
    def test_frequencies_by_numpy(self, series):
        rng = np.random.default_rng(0)
        shape = [4, 6, series] if series else [4, 6]
        mean, truth = rng.normal(size=[2, *shape]).astype(np.float32)
        observed = (rng.random(shape) < 0.8).astype(np.float32)
        weight = rng.uniform(1, 2, [4, series] if series else [4]).astype(np.float32)
        targets = {"truth": truth, "observed": observed, "weight": weight}
        outputs = {"mean": tf.constant(mean), "quantiles": tf.zeros([*shape, 3])}
        found = loss(
            config(quantile_weight=0.5, frequency_weight=0.8),
            {name: tf.constant(value) for name, value in targets.items()},
            outputs,
        )
        difference = (mean - truth) * weight[:, None] * observed
        distance = np.abs(np.fft.rfft(difference, axis=1, norm="ortho"))
        expected = distance.reshape(4, -1).mean(axis=1)
        error, quantile_loss = (found[name].numpy() for name in ("error", "quantile_loss"))
        np.testing.assert_allclose(
            found["loss"], 0.2 * error + 0.8 * expected + 0.5 * quantile_loss, rtol=1e-5
        )

    def test_the_gradient_of_frequencies_that_are_right(self):
        """No number, where the distance of complex numbers is 0."""
        zeros = tf.zeros([1, 6])
        targets = {"truth": zeros, "observed": tf.ones([1, 6]), "weight": tf.ones([1])}
        with tf.GradientTape() as tape:
            tape.watch(zeros)
            error = losses.frequency_error(targets, zeros)
        assert np.isfinite(tape.gradient(error, zeros)).all()

    def test_it_teaches_what_follows(self):
        """A wave goes on as a wave."""
        keras.utils.set_random_seed(0)
        model = build(config(units=16), BARE)
        optimizer = keras.optimizers.Adam(0.01)
        rng = np.random.default_rng(0)
        phase = rng.uniform(0, 6, [256, 1])
        wave = np.sin(phase + np.arange(18) * 0.5).astype(np.float32)
        inputs = {
            "values": wave[:, :12],
            "observed": np.ones([256, 12], np.float32),
            "ahead": np.zeros([256, 6, 2], np.float32),
        }
        targets = {
            "truth": tf.constant(wave[:, 12:]),
            "observed": tf.ones([256, 6]),
            "weight": tf.ones([256]),
        }

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                values = loss(config(), targets, model(inputs, training=True))
                total = tf.reduce_mean(values["loss"])
            weights = model.trainable_variables
            optimizer.apply(tape.gradient(total, weights), weights)
            return tf.reduce_mean(values["error"])

        first = float(step())
        for _ in range(120):
            last = float(step())
        assert last < 0.02 * first


class TestConformal:
    def test_pairs_of_levels(self):
        assert pairs((0.1, 0.25, 0.5, 0.75, 0.9)) == [(0, 4), (1, 3)]
        assert pairs((0.1, 0.5, 0.8)) == []

    def test_intervals_hold_what_they_say(self):
        """Quantiles that are too narrow, too wide by step, are corrected on other forecasts."""
        rng = np.random.default_rng(0)
        truth = rng.normal(size=[8000, 2])
        right = stats.norm.ppf(LEVELS)
        quantiles = np.broadcast_to(np.stack([right * 0.4, right * 2.0]), [8000, 2, 3])
        added = np.array(conformal(truth[:4000], quantiles[:4000], LEVELS))
        corrected = quantiles[4000:] + added
        inside = (corrected[..., 0] <= truth[4000:]) & (truth[4000:] <= corrected[..., 2])
        np.testing.assert_allclose(inside.mean(axis=0), 0.8, atol=0.02)
        assert (added[:, 1] == 0).all()

    def test_too_few_forecasts_correct_nothing(self):
        assert conformal(np.zeros([3, 1]), np.zeros([3, 1, 3]), LEVELS) == [[0.0, 0.0, 0.0]]
        unknown = np.full([50, 1], np.nan)
        assert conformal(unknown, np.zeros([50, 1, 3]), LEVELS) == [[0.0, 0.0, 0.0]]
