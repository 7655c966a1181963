"""Generated dates as people write them, and the same dates as ISO 8601 has them."""

import datetime

import numpy as np

from rnnsuite.core.errors import NoSplit

SIZES = {"train": 4000, "validation": 100, "test": 100}
SEEDS = {"train": 0, "validation": 1, "test": 2}
FIRST = datetime.date(1990, 1, 1)
DAYS = 40 * 365
FORMATS = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{short} {day} {year}",
    "{day}.{number}.{year}",
)


def records(split):
    """The records of one split, the same every time."""
    if split not in SIZES:
        raise NoSplit(f"The sample has no {split} split; it has {', '.join(SIZES)}.")
    rng = np.random.default_rng(SEEDS[split])
    return [_record(rng) for _ in range(SIZES[split])]


def _record(rng):
    date = FIRST + datetime.timedelta(days=int(rng.integers(DAYS)))
    text = str(rng.choice(FORMATS)).format(
        day=date.day, month=f"{date:%B}", short=f"{date:%b}", number=date.month, year=date.year
    )
    return {"text": text, "target": date.isoformat()}
