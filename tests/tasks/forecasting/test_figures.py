"""Plots of forecasts show what they say."""

import numpy as np
import pytest

from rnnsuite.tasks.forecasting import figures
from rnnsuite.tasks.forecasting.metrics import Forecasts, by_step

HOUR = 3600


@pytest.fixture
def forecasts():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=[50, 4])
    truth[3, 1] = np.nan
    quantiles = np.broadcast_to(np.array([-1.0, 0.0, 1.0]), [50, 4, 3])
    return Forecasts(truth, np.zeros([50, 4]), quantiles, (0.1, 0.5, 0.9), np.ones(50))


def test_a_band_for_each_interval_of_each_forecast(forecasts):
    histories = np.zeros([50, 6])
    figure = figures.bands(forecasts, histories, [f"s{n}" for n in range(50)], [2, 3, 7])
    assert [axes.get_title() for axes in figure.axes] == ["s2", "s3", "s7"]
    for axes in figure.axes:
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            "observed",
            "mean",
            "80 %",
        ]


def test_errors_of_every_step(forecasts):
    (axes,) = figures.by_step(by_step(forecasts)).axes
    mae, rmse = axes.lines
    np.testing.assert_array_equal(mae.get_xdata(), [1, 2, 3, 4])
    assert (mae.get_ydata() < rmse.get_ydata()).all()


def test_the_share_below_each_level(forecasts):
    (axes,) = figures.calibration(forecasts).axes
    drawn = axes.lines[1].get_ydata()
    observed = forecasts.truth[~np.isnan(forecasts.truth)]
    np.testing.assert_allclose(drawn, [(observed <= bound).mean() for bound in (-1, 0, 1)])


def test_residuals_by_hour_and_weekday(forecasts):
    # 1970 began on a Thursday, at midnight.
    times = np.tile(np.arange(4) * HOUR, [50, 1])
    hours, weekdays = figures.residuals(forecasts, times).axes
    assert [label.get_text() for label in hours.get_xticklabels()] == ["0", "1", "2", "3"]
    assert [label.get_text() for label in weekdays.get_xticklabels()] == ["Thu"]
