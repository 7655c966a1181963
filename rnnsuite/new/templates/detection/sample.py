"""Generated series: noise of two numbers, within which the first one rises or falls for a while.

Both go through the same values, so that one step alone does not tell which it is.
"""

import json

import numpy as np

from rnnsuite.core.errors import NoSplit

SIZES = {"train": 200, "validation": 50, "test": 50}
SEEDS = {"train": 0, "validation": 1, "test": 2}
NOISE = 0.2
SLOPES = {"falls": (2.0, -2.0), "rises": (-2.0, 2.0)}


def records(split):
    """The records of one split, the same every time."""
    if split not in SIZES:
        raise NoSplit(f"The sample has no {split} split; it has {', '.join(SIZES)}.")
    rng = np.random.default_rng(SEEDS[split])
    return [_record(rng, f"{split}{number}") for number in range(SIZES[split])]


def _record(rng, name):
    series = NOISE * rng.normal(size=[rng.integers(50, 61), 2])
    events = []
    place = rng.integers(2, 12)
    while place + 12 < len(series):
        steps = int(rng.integers(6, 13))
        label = str(rng.choice(sorted(SLOPES)))
        series[place : place + steps, 0] += np.linspace(*SLOPES[label], steps)
        events.append((label, int(place), int(place) + steps - 1))
        place += steps + rng.integers(6, 16)
    return {"id": name, "series": series.astype(np.float32), "events": json.dumps(events)}
