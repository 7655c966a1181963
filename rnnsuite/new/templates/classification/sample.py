"""Generated series: two noisy numbers a step that rise, fall, or go up and down around zero, which
their mean does not tell.
"""

import numpy as np

from rnnsuite.core.errors import NoSplit

SIZES = {"train": 300, "validation": 60, "test": 60}
SEEDS = {"train": 0, "validation": 1, "test": 2}
NOISE = 0.3


def records(split):
    """The records of one split, the same every time."""
    if split not in SIZES:
        raise NoSplit(f"The sample has no {split} split; it has {', '.join(SIZES)}.")
    rng = np.random.default_rng(SEEDS[split])
    return [_record(rng, f"{split}{number}") for number in range(SIZES[split])]


def _record(rng, name):
    label = rng.choice(["falls", "rises", "swings"])
    time = np.linspace(-1, 1, rng.integers(10, 31))
    wave = {"falls": -time, "rises": time, "swings": np.sin(2 * np.pi * time)}[label]
    series = np.stack([wave, rng.uniform(0.5, 2) * wave], axis=-1)
    noisy = series + NOISE * rng.normal(size=series.shape)
    return {"id": name, "series": noisy.astype(np.float32), "label": label}
