"""Distributions against scipy's, by value and by draw."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rnnsuite.tasks.forecasting.distributions import (
    DISTRIBUTIONS,
    FREEDOM,
    between,
    drawn_levels,
    normal_quantile,
    student_quantile,
)

LEVELS = np.array([1e-4, 0.01, 0.025, 0.1, 0.45, 0.499, 0.5, 0.6, 0.9, 0.975, 0.999], np.float32)


def softplus(x):
    return np.log1p(np.exp(x))


def peer(name, numbers, scale):
    """scipy's distribution of counts or scaled values, and what its values are divided by."""
    if name == "gaussian":
        return stats.norm(numbers[0], softplus(numbers[1]) + 1e-4), 1.0
    if name == "student":
        freedom = softplus(numbers[2]) + FREEDOM
        return stats.t(freedom, numbers[0], softplus(numbers[1]) + 1e-4), 1.0
    mean = scale * softplus(numbers[0]) + 1e-4
    successes = 1 / (softplus(numbers[1]) / np.sqrt(scale) + 1e-4)
    return stats.nbinom(successes, successes / (successes + mean)), scale


def test_normal_quantiles():
    found = normal_quantile(LEVELS)
    np.testing.assert_allclose(found, stats.norm.ppf(LEVELS), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("freedom", [FREEDOM, 3.0, 4.9, 5.0, 30.0, 1000.0])
def test_student_quantiles(freedom):
    found = student_quantile(LEVELS, tf.constant(freedom))
    np.testing.assert_allclose(found, stats.t.ppf(LEVELS, freedom), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 40.0])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_likelihood_and_quantiles(name, scale):
    rng = np.random.default_rng(3)
    for numbers in rng.normal(size=[8, DISTRIBUTIONS[name].size]):
        ours = DISTRIBUTIONS[name](tf.constant(numbers, tf.float32), tf.constant(scale))
        theirs, divisor = peer(name, numbers, scale)
        log_density = theirs.logpmf if name == "negative_binomial" else theirs.logpdf
        values = np.arange(6.0) if name == "negative_binomial" else rng.normal(size=6)
        found = [float(ours.log_likelihood(tf.constant(v / divisor, tf.float32))) for v in values]
        np.testing.assert_allclose(found, log_density(values), rtol=1e-3, atol=1e-4)
        quantiles = ours.quantile(tf.constant(LEVELS)).numpy() * divisor
        # A count may be the next one where a level is all but reached.
        tolerance = 1.01 if name == "negative_binomial" else 1e-4
        np.testing.assert_allclose(quantiles, theirs.ppf(LEVELS), rtol=1e-3, atol=tolerance)
        np.testing.assert_allclose(float(ours.mean) * divisor, theirs.mean(), rtol=1e-3, atol=2e-4)


def test_counts_are_counts():
    ours = DISTRIBUTIONS["negative_binomial"](tf.constant([[0.3, -1.0]]), tf.constant([7.0]))
    counts = ours.quantile(tf.constant(drawn_levels(200, 1)[:, 0])).numpy() * 7.0
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    assert counts.min() >= 0
    assert counts.mean() == pytest.approx(7.0 * float(ours.mean[0]), rel=0.02)


@given(st.integers(2, 300), st.integers(1, 20))
def test_every_part_is_drawn_from_once(paths, horizon):
    levels = drawn_levels(paths, horizon)
    np.testing.assert_array_equal(levels, drawn_levels(paths, horizon))
    expected = ((np.arange(paths) + 0.5) / paths).astype(np.float32)
    np.testing.assert_array_equal(np.sort(levels, axis=0), np.tile(expected[:, None], horizon))


def test_quantiles_between():
    quantiles = tf.constant([[1.0, 2.0, 4.0]])
    wanted = tf.constant([0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
    found = between(quantiles, (0.1, 0.5, 0.9), wanted)
    np.testing.assert_allclose(found, [[1.0, 1.0, 1.5, 2.0, 3.0, 4.0, 4.0]], rtol=1e-6)
    np.testing.assert_array_equal(between(quantiles[:, :1], (0.5,), wanted[:2]), [[1.0, 1.0]])
