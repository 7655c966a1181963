"""Novelty and extremes of a stream against their definitions; in pieces: `test_running`."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.layers import Parallel
from rnnsuite.layers.extremes import Novelty, Rising, RunningExtremes, ShortMean
from tests.layers.pieces import whole


@pytest.fixture(scope="module")
def series():
    x = np.random.default_rng(0).normal(3.0, 2.0, size=[2, 60, 2])
    x[0, 25:29, 1] = np.nan
    x[1, 0, 0] = np.nan
    return x


def test_short_means_leave_missing_values_out(series):
    found = whole(ShortMean(2, 4), series)
    for place in range(60):
        values = series[0, max(place - 3, 0) : place + 1, 1]
        expected = np.nan if np.isnan(values[-1]) else np.nanmean(values)
        np.testing.assert_allclose(found[0, place, 1], expected, rtol=1e-5)


@pytest.mark.parametrize(("steps", "apart"), [(1, 1), (3, 1), (3, 2)])
def test_novelty_is_the_distance_to_the_nearest_before(series, steps, apart):
    memory = 20
    found = whole(Novelty(2, steps, memory, apart), series)
    x = series[0, :, 1]
    for place in range(60):
        lags = [apart * back for back in range(steps)]
        own = [x[place - lag] if place >= lag else np.nan for lag in lags]
        distances = []
        for last in range(max(place - memory, lags[-1]), place - steps * apart + 1):
            other = [x[last - lag] for lag in lags]
            distances.append(np.sqrt(np.mean(np.square(np.subtract(own, other)))))
        known = [distance for distance in distances if np.isfinite(distance)]
        expected = min(known) if known else np.nan
        np.testing.assert_allclose(found[0, place, 1], expected, rtol=1e-4, atol=1e-5)


def test_extremes_are_the_tail_of_the_largest_so_far(series):
    count = 5
    found = whole(RunningExtremes(2, count, warm=12), series)
    x = series[0, :, 1]
    for place in range(60):
        before = x[:place][np.isfinite(x[:place])]
        expected = 0.0
        if len(before) >= 12 and np.isfinite(x[place]):
            largest = np.sort(before)[::-1][:count]
            scale = (largest - largest[-1]).sum() / (count - 1)
            if x[place] - largest[-1] > 1e-3 * before.std() + 1e-6 * abs(largest[-1]):
                expected = np.log(len(before) / count) + (x[place] - largest[-1]) / scale
        np.testing.assert_allclose(found[0, place, 1], expected, rtol=1e-3, atol=1e-4)
    assert (found > 0).any()


def test_a_share_of_normal_values_is_as_unlikely_as_it_says():
    x = np.random.default_rng(3).exponential(size=[1, 4000, 1])
    nats = whole(RunningExtremes(1, 40, warm=500), x)[0, 500:, 0]
    for level in (4.0, 5.0):
        assert np.mean(nats > level) == pytest.approx(np.exp(-level), rel=0.5)


def test_a_constant_and_enormous_values():
    x = np.full([1, 150, 1], 7.0)
    x[0, 120] = 3e38
    x[0, 130] = np.inf
    x[0, 140] = 7.5
    found = whole(RunningExtremes(1, 10, warm=20), x)[0, :, 0]
    assert np.isfinite(found).all()
    assert (found[:120] == 0).all()
    assert found[120] > 1000
    assert found[130] == 0
    distance = whole(Novelty(1, 2, 30), x)[0, :, 0]
    assert np.isfinite(distance[3:130]).all()
    assert distance[120] > 1e14


def test_rising_says_once_what_goes_on():
    x = np.array([0, 3, 1, 4, 4, 2, 0, 0, 3, 1], np.float32).reshape(1, -1, 1)
    assert whole(Rising(3), x).ravel().tolist() == [0, 3, 0, 4, 0, 0, 0, 0, 3, 0]
    assert whole(Rising(0), x).tolist() == x.tolist()


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="steps must be from 1 to memory = 2, not 3"):
        Novelty(1, 3, 2)
    with pytest.raises(ValueError, match="count must be from 2 to warm = 5, not 6"):
        RunningExtremes(1, 6, 5)


def test_parts_side_by_side_look_equally_far():
    class Ahead(ShortMean):
        look_ahead = 2

    with pytest.raises(ValueError, match=r"parts look \[0, 2\] steps ahead"):
        Parallel(a=ShortMean(1, 2), b=Ahead(1, 2))
    both = Parallel(a=ShortMean(1, 1), b=ShortMean(1, 2))
    output = whole(both, tf.constant([[[1.0], [3.0]]]).numpy())
    assert output.tolist() == [[[1, 1], [3, 2]]]
