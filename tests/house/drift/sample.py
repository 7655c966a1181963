"""Generated series: a random walk with a drift, of different lengths."""

import numpy as np

SIZES = {"train": 96, "validation": 24, "test": 24}
SEEDS = {"train": 0, "validation": 1, "test": 2}


def records(split):
    """Records of one split, the same every time."""
    rng = np.random.default_rng(SEEDS[split])
    for _ in range(SIZES[split]):
        drift = rng.normal()
        steps = rng.normal(size=[rng.integers(4, 9), 2]) + drift
        scale = rng.uniform(1.0, 2.0)
        yield {
            "series": steps.cumsum(axis=0).astype(np.float32),
            "scale": np.float32(scale),
            "target": np.float32(scale * drift),
        }
