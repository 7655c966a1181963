"""Generated series: two waves of drifting level and noise, the second a while behind the first."""

import numpy as np

TABLES = 4
STEPS = 400
PERIOD = 24
LAG = 5
NOISE = 0.1


def tables():
    """Name and values [time, 2] of each series, the same every time."""
    rng = np.random.default_rng(0)
    return [(f"series{number}", _values(rng)) for number in range(TABLES)]


def _values(rng):
    time = np.arange(STEPS + LAG)
    phase = rng.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * time / PERIOD + phase) + 0.5 * np.sin(4 * np.pi * time / PERIOD)
    wave = wave + np.cumsum(0.02 * rng.normal(size=len(time)))
    values = np.stack([wave[LAG:], 10 * wave[:-LAG]], axis=-1)
    noise = NOISE * rng.normal(size=values.shape) * np.array([1, 10])
    return (values + noise).astype(np.float32)
