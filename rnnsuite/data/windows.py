"""Series divided by time, and the windows before and behind every origin in them."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.frequency import Frequency, seconds, written
from rnnsuite.data.series import Series

SPLITS = ("train", "validation", "test")
BATCH = 512
"""Windows that are cut at a time."""


@dataclasses.dataclass(frozen=True)
class Divided:
    """Series, and where in each the splits end.

    Args:
        series: on one grid.
        frequency: of it.
        ends: for each split the place behind its last observation in every series.
    """

    series: Sequence[Series]
    frequency: Frequency
    ends: Mapping[str, np.ndarray]

    def bounds(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Where a split begins and ends in every series."""
        place = SPLITS.index(split)
        begins = self.ends[SPLITS[place - 1]] if place else np.zeros_like(self.ends[split])
        return begins, self.ends[split]


def divided(series: Sequence[Series], frequency: Frequency, cuts: Sequence[str]) -> Divided:
    """Divides series by time.

    Args:
        series: at least one.
        frequency: of their grid.
        cuts: where train, validation and test end; the last may be left out: a share such as
            `0.8`, a number of observations such as `8640`, such a number from the end, `-48`, or a
            date, the first that is in the split no more.

    Raises:
        UserError: for a cut that is none, or cuts that do not rise.
    """
    lengths = np.array([len(item.values) for item in series])
    ends = [np.array([_place(cut, item, frequency) for item in series]) for cut in cuts]
    ends += [lengths] * (len(SPLITS) - len(ends))
    ends = [np.minimum(np.maximum(end, 0), lengths) for end in ends]
    for number in range(1, len(SPLITS)):
        if (ends[number] < ends[number - 1]).any():
            raise UserError(f"data.cuts: {', '.join(cuts)} do not rise in every series.")
    return Divided(series, frequency, dict(zip(SPLITS, ends, strict=True)))


def _place(cut: str, series: Series, frequency: Frequency) -> int:
    length = len(series.values)
    try:
        number = float(cut)
    except ValueError:
        return _dated(cut, series, frequency)
    if 0 < number < 1:
        return round(number * length)
    if number != int(number):
        raise UserError(f"data.cuts: {cut} is neither a share below 1 nor a whole number.")
    return int(number) if number >= 0 else length + int(number)


def _dated(cut: str, series: Series, frequency: Frequency) -> int:
    if frequency.unit == "step":
        raise UserError(f"data.cuts: {cut!r} given, but these series have no times.")
    try:
        time = seconds([cut])[0]
    except ValueError:
        raise UserError(
            f"data.cuts: {cut!r} is no share (0.8), number (8640, -48) or date (2026-01-31)."
        ) from None
    return int(np.searchsorted(frequency.times(series.start, len(series.values)), time))


def origins(
    data: Divided, split: str, lookback: int, horizon: int, step: int, most: int = 0
) -> np.ndarray:
    """Where forecasts begin whose whole horizon lies in a split.

    Args:
        data: the series.
        split: train, validation or test.
        lookback: steps that a forecast looks back. In train, a series has so many before its first
            origin where it is long enough for it, and one at least.
        horizon: steps of a forecast.
        step: from an origin to the next.
        most: origins of a series, the last ones; 0 for all.

    Returns:
        (number of the series, place of the first step of the horizon) `[origins, 2]`.
    """
    pairs = []
    for number, (begin, end) in enumerate(zip(*data.bounds(split), strict=True)):
        last = int(end) - horizon
        first = int(begin)
        if split == "train":
            first = max(min(lookback, last), 1)
        places = np.arange(max(first, 1), last + 1, step)[-most:]
        pairs.append(np.stack([np.full_like(places, number), places], axis=1))
    return np.concatenate(pairs).astype(np.int32)


def windows(data: Divided, pairs: np.ndarray, lookback: int, horizon: int) -> tf.data.Dataset:
    """The window around each origin; they are cut when they are read, and never all in memory.

    Args:
        data: the series.
        pairs: as `origins` gives them, in the order of the windows.
        lookback: steps before the origin; where a series has fewer, NaN stands before it.
        horizon: steps from the origin on.

    Returns:
        A data set of `values` `[look-back]`, `truth` `[horizon]`, `times` `[look-back]` int64,
        `series`, the number of it, and `covariates` `[look-back + horizon, covariates]`, where
        there are any. Past ones are NaN from the origin on; static ones stand beside every step.
    """
    width = lookback + horizon
    parts = [_padded(item, lookback, horizon) for item in data.series]
    values, covariates = (np.concatenate(part) for part in zip(*parts, strict=True))
    lengths = np.array([len(part[0]) for part in parts])
    begins = np.cumsum(lengths) - lengths
    times = np.concatenate(
        [
            data.frequency.times(item.start, length, -lookback)
            for item, length in zip(data.series, lengths, strict=True)
        ]
    )
    past = data.series[0].past.shape[1]
    unseen = np.zeros([width, covariates.shape[1]], np.float32)
    unseen[lookback:, :past] = np.nan

    def cut(batch):
        # A place in a series is as far from the beginning of its padded form, look-back included.
        first = tf.gather(begins, batch[:, 0]) + tf.cast(batch[:, 1], tf.int64)
        places = first[:, None] + tf.range(width, dtype=tf.int64)[None]
        whole = tf.gather(values, places)
        record = {
            "values": whole[:, :lookback],
            "truth": whole[:, lookback:],
            "times": tf.gather(times, places[:, :lookback]),
            "series": batch[:, 0],
        }
        if covariates.shape[1]:
            record["covariates"] = tf.gather(covariates, places) + unseen
        return record

    rows = tf.data.Dataset.from_tensor_slices(pairs).batch(BATCH)
    return rows.map(cut, num_parallel_calls=tf.data.AUTOTUNE).unbatch()


def _padded(series: Series, before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Values, and covariates of all kinds, with NaN before and behind."""
    length = len(series.values)
    values = np.pad(series.values, (before, after), constant_values=np.nan)
    static = np.broadcast_to(series.static, [length + after, len(series.static)])
    parts = [
        np.pad(
            part[: length + after],
            ((0, max(length + after - len(part), 0)), (0, 0)),
            constant_values=np.nan,
        )
        for part in (series.past, series.future, static)
    ]
    covariates = np.concatenate(parts, axis=1).astype(np.float32)
    return values, np.pad(covariates, ((before, 0), (0, 0)), constant_values=np.nan)


def check_covered(data: Divided) -> None:
    """Raises UserError where covariates of the future end before the last split does."""
    for series, end in zip(data.series, data.ends["test"], strict=True):
        for column in series.future.T:
            present = np.flatnonzero(~np.isnan(column))
            reached = int(present[-1]) + 1 if len(present) else 0
            if reached < end:
                first, last = data.frequency.times(series.start, int(end))[[reached, -1]]
                raise UserError(
                    f"{series.id!r}: a covariate of the future is missing from "
                    f"{written(first, data.frequency)} on; it must reach "
                    f"{written(last, data.frequency)}."
                )
