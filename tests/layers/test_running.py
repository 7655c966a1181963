"""Running means and tails against numpy's, whole and in pieces."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from rnnsuite.layers import Chain, Parallel
from rnnsuite.layers.extremes import Novelty, Rising, RunningExtremes, ShortMean
from rnnsuite.layers.running import RunningRatio, RunningScale, RunningTail, log_upper_tail
from tests.layers.pieces import in_pieces, whole

MEMORY = 20.0


def weighted(x, observed):
    """Mean and deviation of the observed values before each step, by their weights."""
    means = np.zeros(len(x))
    deviations = np.zeros(len(x))
    for place in range(len(x)):
        ages = np.cumsum(observed[:place][::-1])[::-1] - 1  # forgetting counts observations alone
        weights = observed[:place] * 0.5 ** (ages / MEMORY)
        if weights.sum() == 0:
            continue
        means[place] = np.average(x[:place], weights=weights)
        variance = np.average((x[:place] - means[place]) ** 2, weights=weights)
        deviations[place] = np.sqrt(variance)
    return means, np.maximum(deviations, 1e-3 * np.abs(means) + 1e-8)


@pytest.fixture(scope="module")
def series():
    x = np.random.default_rng(0).normal(3.0, 2.0, size=[2, 60, 2])
    x[0, 5:9, 1] = np.nan
    x[1, 0, 0] = np.nan
    return x


def test_scaled_by_what_came_before(series):
    found = whole(RunningScale(2, MEMORY), series)
    for row in range(2):
        for channel in range(2):
            values = series[row, :, channel]
            observed = np.isfinite(values)
            means, deviations = weighted(np.nan_to_num(values), observed)
            is_known = observed & (np.cumsum(observed) > 1)
            expected = np.where(is_known, (values - means) / deviations, 0)
            np.testing.assert_allclose(
                found[row, :, channel], np.clip(expected, -10, 10), atol=1e-4
            )
            np.testing.assert_array_equal(found[row, :, 2 + channel], is_known)


def test_the_ratio_of_a_short_mean_to_a_long_one(series):
    x = np.abs(series)
    found = whole(RunningRatio(2, 3.0, MEMORY, 0.5, warm=8), x)
    values = x[0, :, 1]
    observed = np.isfinite(values)
    for place in range(60):
        if observed[:place].sum() < 8 or not observed[place]:
            assert found[0, place, 1] == 0
            continue
        until = values[: place + 1][observed[: place + 1]]
        means = []
        for part, memory in ((until, 3.0), (until[:-1], MEMORY)):
            means.append(np.average(part, weights=0.5 ** (np.arange(len(part))[::-1] / memory)))
        np.testing.assert_allclose(found[0, place, 1], means[0] / (means[1] + 0.5), rtol=1e-4)


def test_the_tail_of_a_short_mean(series):
    x = np.where(np.isnan(series), 1.0, series)
    found = whole(Chain(mean=ShortMean(2, 3), tail=RunningTail(2, MEMORY, warm=10)), x)
    values = x[0, :, 0]
    padded = np.concatenate([[0, 0], values])
    counts = np.minimum(np.arange(1, 61), 3)
    means = (padded[2:] + padded[1:-1] + padded[:-2]) / counts
    center, deviation = weighted(means, np.ones(60, bool))
    expected = -stats.norm.logsf((means - center) / deviation)
    np.testing.assert_allclose(found[0, 10:, 0], expected[10:], rtol=1e-3, atol=1e-4)
    assert (found[:, :10] == 0).all()


PARTS = {
    "scale": RunningScale(2, MEMORY),
    "tail": RunningTail(2, MEMORY, warm=5),
    "ratio": RunningRatio(2, 3.0, MEMORY, 0.1, warm=5),
    "mean": Chain(mean=ShortMean(2, 3), tail=RunningTail(2, MEMORY, warm=5)),
    "extremes": Parallel(
        novelty=Novelty(2, 3, 20), tail=Chain(mean=ShortMean(2, 4), tail=RunningExtremes(2, 5, 9))
    ),
    "rising": Rising(4),
}


@pytest.mark.parametrize("cuts", [[1], [7, 8, 31], range(1, 40)], ids=["two", "four", "each"])
@pytest.mark.parametrize("name", PARTS)
def test_cut_anywhere_it_is_the_same(name, cuts):
    x = np.random.default_rng(1).normal(size=[2, 40, 1 if name == "rising" else 2])
    x[0, 20:25] = np.nan if name != "rising" else 0
    expected = whole(PARTS[name], x)
    np.testing.assert_allclose(in_pieces(PARTS[name], x, cuts), expected, rtol=1e-5, atol=1e-5)


def test_a_constant_and_enormous_values():
    x = np.full([1, 40, 1], 7.0)
    x[0, 30] = 3e38
    x[0, 35] = np.inf
    scaled = whole(RunningScale(1, MEMORY), x)
    assert np.isfinite(scaled).all()
    assert (scaled[0, 1:30, 0] == 0).all()
    assert scaled[0, 30, 0] == 10
    assert scaled[0, 35].tolist() == [0, 0]
    quiet = whole(RunningTail(1, MEMORY), np.full([1, 40, 1], 7.0))
    np.testing.assert_allclose(quiet[0, 31:], np.log(2), rtol=1e-4)


def test_what_stands_behind_the_channels_stays():
    x = np.random.default_rng(0).normal(size=[1, 5, 4])
    np.testing.assert_allclose(whole(RunningScale(1, MEMORY), x)[..., 2:], x[..., 1:], rtol=1e-6)


def test_the_logarithm_of_the_tail():
    x = np.linspace(-9, 40, 500)
    found = log_upper_tail(tf.constant(x, tf.float32)).numpy()
    np.testing.assert_allclose(found, stats.norm.logsf(x), rtol=1e-5, atol=2e-7)
