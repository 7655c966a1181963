"""Pieces of evidence against their definitions, and a model that is fed step by step."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from apps.anomaly_detection.config import ModelConfig
from apps.anomaly_detection.data import Fitted
from apps.anomaly_detection.model import SKIPPED, build, loss
from apps.anomaly_detection.stream import FIRST, Chosen, ReconstructionError, Sum, Surprise, scores
from rnnsuite.core.errors import UserError
from rnnsuite.tasks.forecasting.distributions import log_gamma
from tests.layers.pieces import in_pieces, whole

FITTED = Fitted(("a", "b", "c"), (2, 0), 50.0, 16)
CONFIG = ModelConfig(
    evidence=("forecast", "sustained", "reconstruction", "value", "mean", "novelty"),
    units=6,
    span=3,
    code=4,
    short=4,
    recent=20,
    largest=10,
)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build(CONFIG, FITTED)


@pytest.fixture(scope="module")
def scaled():
    rng = np.random.default_rng(0)
    flags = rng.random([1, 60, 3]) > 0.1
    return np.concatenate([rng.normal(size=[1, 60, 3]) * flags, flags], axis=-1).astype("float32")


@pytest.mark.parametrize("distribution", ["student", "gaussian"])
def test_surprise_is_the_likelihood_of_what_was_forecast(scaled, distribution):
    config = dataclasses.replace(CONFIG, distribution=distribution)
    keras.utils.set_random_seed(1)
    model = build(config, FITTED)
    found = whole(Surprise(model, config, FITTED), scaled)
    numbers = model(scaled)["forecast"].numpy()[0]
    for place, channel in enumerate(FITTED.scored):
        parts = numbers.reshape(60, -1, 2)[:, :, place]
        softplus = np.log1p(np.exp(parts))
        for step in range(60):
            if step < FIRST or not scaled[0, step, 3 + channel]:
                assert np.isnan(found[0, step, place])
                continue
            mean, deviation = parts[step - 1, 0], softplus[step - 1, 1] + 1e-4
            if distribution == "gaussian":
                expected = -stats.norm.logpdf(scaled[0, step, channel], mean, deviation)
            else:
                freedom = softplus[step - 1, 2] + 2.5
                expected = -stats.t.logpdf(scaled[0, step, channel], freedom, mean, deviation)
            np.testing.assert_allclose(found[0, step, place], expected, rtol=1e-4, atol=1e-5)


def test_errors_of_a_reconstruction(model, scaled):
    found = whole(ReconstructionError(model, CONFIG, FITTED), scaled)
    guess = model(scaled)["reconstruction"].numpy()[0].reshape(60, CONFIG.span, 2)
    for place, channel in enumerate(FITTED.scored):
        for step in range(60):
            errors = [
                (guess[step, back, place] - scaled[0, step - back, channel]) ** 2
                for back in range(min(CONFIG.span, step + 1))
                if scaled[0, step - back, 3 + channel]
            ]
            if scaled[0, step, 3 + channel]:
                np.testing.assert_allclose(found[0, step, place], np.mean(errors), rtol=1e-4)
            else:
                assert np.isnan(found[0, step, place])


def test_the_loss_is_of_what_follows_and_of_what_was(model, scaled):
    values = scaled[..., [2, 0]]
    observed = scaled[..., [5, 3]]
    outputs = model(scaled)
    found = loss(CONFIG, {"values": values, "observed": observed}, outputs)
    surprise = whole(Surprise(model, CONFIG, FITTED), scaled)
    numbers = outputs["forecast"].numpy().reshape(1, 60, 3, 2)
    softplus = np.log1p(np.exp(numbers))
    nats = -stats.t.logpdf(
        values[:, 1:],
        softplus[:, :-1, 2] + 2.5,
        numbers[:, :-1, 0],
        softplus[:, :-1, 1] + 1e-4,
    )
    np.testing.assert_allclose(
        nats[:, 40:][observed[:, 41:] > 0],
        surprise[:, 41:][observed[:, 41:] > 0],
        rtol=1e-4,
        atol=1e-4,
    )
    part = nats[:, SKIPPED:], observed[:, 1 + SKIPPED :]
    np.testing.assert_allclose(found["forecast_loss"], np.average(part[0], weights=part[1]), 1e-4)
    errors = whole(ReconstructionError(model, CONFIG, FITTED), scaled)[:, SKIPPED:]
    np.testing.assert_allclose(found["reconstruction_loss"], np.nanmean(errors), rtol=1e-4)
    np.testing.assert_allclose(
        found["loss"], found["forecast_loss"] + found["reconstruction_loss"], rtol=1e-6
    )


@pytest.mark.parametrize("tail", ["extremes", "likelihood", "ratio"])
def test_fed_in_pieces_it_is_the_same(model, tail):
    evidence = ("novelty",) if tail == "ratio" else CONFIG.evidence
    config = dataclasses.replace(CONFIG, tail=tail, evidence=evidence, pool=2)
    x = np.random.default_rng(2).normal(size=[1, 150, 3]).astype("float32")
    x[0, 110:113] = np.nan
    chain = scores(model, config, FITTED)
    expected = whole(chain, x)
    assert expected.shape == (1, 150, 2)
    assert (expected[0, :100] == 0).all()
    assert (expected[0, 113:] > 0).any()
    np.testing.assert_allclose(in_pieces(chain, x, [1, 105]), expected, atol=1e-4)


def test_a_sum_is_capped_and_leaves_missing_ones_out():
    x = np.array([[[1.0, 30.0, 2.0, np.nan]]])
    assert whole(Sum(2, 10.0), x).tolist() == [[[3.0, 10.0]]]


def test_impossible_evidence_is_refused():
    config = ModelConfig(evidence=("forecast", "value"), tail="none")
    with pytest.raises(UserError, match=r"model.tail: none is for .* value needs another"):
        build(config, FITTED)
    config = ModelConfig(evidence=("novelty", "forecast"), tail="ratio")
    with pytest.raises(UserError, match=r"ratio is for novelty; forecast needs another"):
        build(config, FITTED)


def test_what_is_not_asked_for_is_not_built():
    assert build(ModelConfig(evidence=("sustained",)), FITTED).output.keys() == {"forecast"}
    assert build(ModelConfig(evidence=("reconstruction",)), FITTED).output.keys() == {
        "reconstruction"
    }


def test_the_logarithm_of_the_gamma_function():
    x = np.concatenate([np.linspace(0.5, 4, 200), np.geomspace(4, 1e4, 100)])
    from scipy.special import gammaln

    found = log_gamma(tf.constant(x, tf.float32)).numpy()
    np.testing.assert_allclose(found, gammaln(x), rtol=2e-6, atol=5e-6)


def test_chosen_channels_and_their_negatives():
    x = np.array([[[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]]])
    assert whole(Chosen((2, 0)), x).tolist() == [[[3, 1], [6, 4]]]
    both = whole(Chosen((1,), both=True), x)
    np.testing.assert_array_equal(both, [[[2, -2], [np.nan, np.nan]]])


def test_the_network_s_first_steps_only_fill_its_states(model, scaled):
    found = whole(Surprise(model, CONFIG, FITTED), scaled)
    assert np.isnan(found[0, : int(FIRST)]).all()
    assert np.isfinite(found[0, int(FIRST) :]).any()
