"""Metrics of forecasts by hand, and by what must hold of them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rnnsuite.tasks.forecasting.metrics import (
    METRICS,
    Forecasts,
    accuracy,
    by_step,
    interval_score,
    quantile_loss,
)
from rnnsuite.tasks.forecasting.naive import (
    FORECASTERS,
    drift,
    last_known,
    naive,
    seasonal_error,
    seasonal_naive,
)

NAN = np.nan
SMALL = Forecasts(
    truth=np.array([[10.0, 20.0], [4.0, NAN]]),
    mean=np.array([[12.0, 19.0], [4.0, 7.0]]),
    quantiles=np.array([[[8.0, 12, 15], [17, 19, 19.5]], [[3, 4, 5], [5, 7, 9]]]),
    levels=(0.025, 0.5, 0.975),
    scale=np.array([2.0, NAN]),
)


def test_by_hand():
    found = accuracy(SMALL)
    assert found["mae"] == pytest.approx((2 + 1 + 0) / 3)
    assert found["mse"] == pytest.approx((4 + 1 + 0) / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert found["smape"] == pytest.approx((200 * 2 / 22 + 200 * 1 / 39 + 0) / 3)
    assert found["mase"] == pytest.approx((2 + 1) / 2 / 2)
    losses = [
        0.025 * 2 + 0.025 * 3 + 0.025 * 1,
        0.5 * 2 + 0.5 * 1 + 0,
        0.025 * 5 + 0.975 * 0.5 + 0.025 * 1,
    ]
    assert found["wql"] == pytest.approx(np.mean([2 * loss / 34 for loss in losses]))
    assert found["coverage_95"] == pytest.approx(2 / 3)
    assert found["width_95"] == pytest.approx((7 + 2.5 + 2) / 3)
    assert found["msis"] == pytest.approx((7 + 2.5 + 40 * 0.5) / 2 / 2)
    assert found.keys() == {*METRICS, "coverage_95", "width_95"}


def test_each_step_by_itself():
    first, second = by_step(SMALL)
    assert (first["step"], first["mae"]) == (1, pytest.approx(1))
    assert (second["step"], second["mae"]) == (2, pytest.approx(1))
    assert second["coverage_95"] == 0


def test_what_cannot_be_computed_is_left_out():
    bare = dataclasses.replace(
        SMALL, quantiles=np.zeros([2, 2, 0]), levels=(), scale=np.full([2], NAN)
    )
    assert accuracy(bare).keys() == {"mae", "mse", "rmse", "smape"}
    zeros = dataclasses.replace(SMALL, truth=np.zeros([2, 2]), mean=np.zeros([2, 2]))
    found = accuracy(zeros)
    assert found["smape"] == 0
    assert "wql" not in found


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(-3, 3), st.floats(0.1, 4))
def test_the_quantile_has_the_least_loss(level, mean, deviation):
    truth = stats.norm(mean, deviation).ppf((np.arange(4000) + 0.5) / 4000)
    right = stats.norm(mean, deviation).ppf(level)

    def loss(value):
        return quantile_loss(truth, np.full([4000, 1], value), [level]).mean()

    assert loss(right) <= loss(right + 0.3 * deviation)
    assert loss(right) <= loss(right - 0.3 * deviation)


def test_many_levels_approach_the_crps():
    levels = (np.arange(999) + 0.5) / 999
    quantiles = stats.norm.ppf(levels)[None, None]
    wql = accuracy(
        Forecasts(np.full([1, 1], 0.7), np.zeros([1, 1]), quantiles, tuple(levels), np.ones(1))
    )["wql"]
    z = 0.7
    crps = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi)
    assert wql * 0.7 == pytest.approx(crps, rel=2e-3)


def test_an_interval_s_score():
    found = interval_score(np.array([1.0, 5, 9]), np.full(3, 2.0), np.full(3, 8.0), 0.8)
    np.testing.assert_allclose(found, [6 + 10, 6, 6 + 10])


class TestNaive:
    history = np.array([NAN, 1.0, 2.0, NAN, 4.0, 8.0])

    def test_each(self):
        np.testing.assert_array_equal(last_known(self.history), [1, 1, 2, 2, 4, 8])
        np.testing.assert_array_equal(naive(self.history, 3), [8, 8, 8])
        np.testing.assert_array_equal(seasonal_naive(self.history, 5, 3), [2, 4, 8, 2, 4])
        np.testing.assert_allclose(drift(self.history, 2), [8 + 7 / 5, 8 + 14 / 5])
        assert seasonal_error(self.history, 1) == pytest.approx((1 + 4) / 2)
        assert seasonal_error(self.history, 3) == pytest.approx((3 + 6) / 2)

    @pytest.mark.parametrize("history", [[], [NAN], [5.0], [3.0, 3.0]])
    @pytest.mark.parametrize("name", FORECASTERS)
    def test_of_any_history_there_is_a_forecast(self, name, history):
        found = FORECASTERS[name](np.array(history, float), 4, 2)
        assert found.shape == (4,)
        assert np.isfinite(found).all()
        assert np.isnan(seasonal_error(np.array(history, float), 1))
