"""Forecasts that cost nothing: what stands beside a model's."""

import numpy as np


def last_known(history: np.ndarray) -> np.ndarray:
    """The series with missing observations replaced by the one before, or the first known one."""
    present = ~np.isnan(history)
    if not present.any():
        return np.zeros_like(history)
    places = np.where(present, np.arange(len(history)), -1)
    places = np.maximum.accumulate(places)
    places[places < 0] = np.flatnonzero(present)[0]
    return history[places]


def naive(history: np.ndarray, horizon: int) -> np.ndarray:
    """The last observation, again and again.

    Args:
        history: `[time]`, NaN where an observation is missing.
        horizon: steps to forecast.

    Returns:
        `[horizon]`; zeros where nothing was observed.
    """
    filled = last_known(history)
    return np.full([horizon], filled[-1] if len(filled) else 0.0)


def seasonal_naive(history: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The last season, again and again; `naive` where there is no whole one. See `naive`."""
    if len(history) < season:
        return naive(history, horizon)
    filled = last_known(history)[-season:]
    return np.tile(filled, -(-horizon // season))[:horizon]


def drift(history: np.ndarray, horizon: int) -> np.ndarray:
    """The line through the first and the last observation, drawn on. See `naive`."""
    filled = last_known(history)
    if len(filled) < 2:
        return naive(history, horizon)
    slope = (filled[-1] - filled[0]) / (len(filled) - 1)
    return filled[-1] + slope * np.arange(1, horizon + 1)


FORECASTERS = {
    "naive": lambda history, horizon, season: naive(history, horizon),
    "seasonal naive": seasonal_naive,
    "drift": lambda history, horizon, season: drift(history, horizon),
}
"""By name: `forecast(history, horizon, season)`."""


def seasonal_error(history: np.ndarray, season: int) -> float:
    """Mean absolute difference of observations a season apart: what MASE divides by.

    Args:
        history: `[time]`, NaN where an observation is missing.
        season: steps; 1 for a series without seasons.

    Returns:
        The mean; NaN where there is no such pair, or all are equal.
    """
    differences = np.abs(history[season:] - history[:-season])
    differences = differences[~np.isnan(differences)]
    mean = float(differences.mean()) if len(differences) else 0.0
    return mean or float("nan")
