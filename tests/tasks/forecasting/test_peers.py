"""Metrics against utilsforecast's."""

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from rnnsuite.tasks.forecasting.metrics import Forecasts, accuracy
from rnnsuite.tasks.forecasting.naive import seasonal_error

SEASON = 4
HORIZON = 6
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)


@pytest.fixture(scope="module")
def both():
    """Our metrics of each of three series, and a frame of them as utilsforecast has it."""
    rng = np.random.default_rng(0)
    ours = {}
    frames = []
    histories = []
    for number, name in enumerate("abc"):
        history = rng.gamma(3.0, 10.0**number, 30)
        truth = rng.gamma(3.0, 10.0**number, HORIZON)
        quantiles = np.sort(rng.gamma(3.0, 10.0**number, [HORIZON, len(LEVELS)]), axis=1)
        mean = rng.gamma(3.0, 10.0**number, HORIZON)
        scale = np.array([seasonal_error(history, SEASON)])
        ours[name] = accuracy(Forecasts(truth[None], mean[None], quantiles[None], LEVELS, scale))
        columns = {f"q{level}": quantiles[:, n] for n, level in enumerate(LEVELS)}
        columns |= {"m-lo-95": quantiles[:, 0], "m-hi-95": quantiles[:, -1]}
        frame = {"unique_id": name, "ds": np.arange(HORIZON) + 30, "y": truth, "m": mean}
        frames.append(pd.DataFrame({**frame, **columns}))
        histories.append(pd.DataFrame({"unique_id": name, "ds": np.arange(30), "y": history}))
    return ours, pd.concat(frames), pd.concat(histories)


def by_series(frame):
    return dict(zip(frame["unique_id"], frame["m"], strict=True))


@pytest.mark.parametrize(("name", "factor"), [("mae", 1), ("mse", 1), ("rmse", 1), ("smape", 200)])
def test_errors_of_the_mean(both, name, factor):
    ours, frame, _ = both
    theirs = by_series(getattr(losses, name)(frame, models=["m"]))
    for series, values in ours.items():
        assert values[name] == pytest.approx(factor * theirs[series])


def test_mase(both):
    ours, frame, history = both
    theirs = by_series(losses.mase(frame, models=["m"], seasonality=SEASON, train_df=history))
    for series, values in ours.items():
        assert values["mase"] == pytest.approx(theirs[series])


def test_wql_is_the_scaled_crps(both):
    ours, frame, _ = both
    columns = {"m": [f"q{level}" for level in LEVELS]}
    theirs = by_series(losses.scaled_crps(frame, columns, np.array(LEVELS)))
    for series, values in ours.items():
        assert values["wql"] == pytest.approx(theirs[series])


def test_coverage(both):
    ours, frame, _ = both
    theirs = by_series(losses.coverage(frame, models=["m"], level=95))
    for series, values in ours.items():
        assert values["coverage_95"] == pytest.approx(theirs[series])


def test_msis_is_the_scaled_winkler_score(both):
    ours, frame, history = both
    theirs = by_series(losses.winkler_score(frame, models=["m"], level=95))
    for series, values in ours.items():
        own = history[history["unique_id"] == series]["y"].to_numpy()
        assert values["msis"] == pytest.approx(theirs[series] / seasonal_error(own, SEASON))
