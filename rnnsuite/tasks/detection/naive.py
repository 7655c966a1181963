"""Detectors that learn nothing."""

import numpy as np

WINDOW = 6400
"""Values whose mean and deviation count, as in the Numenta Anomaly Benchmark's detector."""


def windowed_gaussian(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """How many deviations each value is from the mean of those before it.

    Args:
        values: `[time]`, NaN where one is missing.
        window: values before it that count.

    Returns:
        Scores `[time]`, 0 for missing values and the first ones.
    """
    x = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    present = np.isfinite(values).astype(np.float64)
    count = np.maximum(_before(present, window), 1.0)
    mean = _before(x * present, window) / count
    variance = np.maximum(_before(x * x * present, window) / count - mean**2, 0.0)
    deviation = np.maximum(np.sqrt(variance), 1e-6 + 1e-3 * np.abs(mean))
    return np.where((present > 0) & (_before(present, window) > 1), np.abs(x - mean) / deviation, 0)


def _before(x: np.ndarray, window: int) -> np.ndarray:
    """The sum of so many values before each."""
    total = np.concatenate([[0.0], np.cumsum(x)])
    places = np.arange(len(x))
    return total[places] - total[np.maximum(places - window, 0)]
