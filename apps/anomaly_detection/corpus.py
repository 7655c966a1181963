"""The series of a source, whatever it is, divided by time, each behind its history."""

import functools
import pathlib
from collections.abc import Iterable

import numpy as np

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import sources, splits
from rnnsuite.data.channel_layouts import read_channels
from rnnsuite.data.channels import Channels, channel_names, runs

from .config import DataConfig
from .sample import CHANNELS, AnomalySample

SPLITS = ("train", "validation", "test")


def divided(config: DataConfig, split: str) -> list[tuple[Channels, int]]:
    """Series with what is before a split, and where in each it begins."""
    by_split = series_of(config)
    if splits.WHOLE in by_split:
        whole = by_split[splits.WHOLE]
        if split == splits.WHOLE:
            return [(item, 0) for item in whole]
        _check_split(split, SPLITS)
        return [_by_time(config, item, split) for item in whole]
    if split in by_split:
        if split == "train" and "validation" not in by_split:
            return [(item.part(0, _held_out(config, item)), 0) for item in by_split[split]]
        before = _history(by_split, split)
        if len(before) == len(by_split[split]) == 1:  # train.csv and test.csv are of one series
            before = {by_split[split][0].id: next(iter(before.values()))}
        return [_behind(before.get(item.id), item) for item in by_split[split]]
    _check_split(split, {*by_split, "validation"} if "train" in by_split else by_split)
    return [(item, _held_out(config, item)) for item in by_split["train"]]


def _check_split(split: str, names: Iterable[str]) -> None:
    if split not in names:
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(names))}.")


def _by_time(config: DataConfig, item: Channels, split: str) -> tuple[Channels, int]:
    if config.cuts[0] > config.cuts[1]:
        raise UserError(f"data.cuts: {list(config.cuts)} fall; validation ends behind train.")
    first, second = (int(cut * len(item.times)) for cut in config.cuts)
    if config.history and second > config.history:
        first = first * config.history // second
        second = config.history
    begin = {"train": 0, "validation": first, "test": second}[split]
    end = {"train": first, "validation": second, "test": len(item.times)}[split]
    return item.part(0, end), begin


def _held_out(config: DataConfig, item: Channels) -> int:
    """The step from which a training series validates."""
    return len(item.times) - int(config.validation * len(item.times))


def _history(by_split: dict[str, list[Channels]], split: str) -> dict[str, Channels]:
    """Series of the splits before one, by their names."""
    before: dict[str, Channels] = {}
    for name in SPLITS[: SPLITS.index(split)]:
        for item in by_split.get(name, ()):
            before[item.id] = _behind(before.get(item.id), item)[0]
    return before


def _behind(before: Channels | None, item: Channels) -> tuple[Channels, int]:
    """A series behind its history, and where it begins."""
    if before is None:
        return item, 0
    begin = len(before.times)
    anomalies = None
    if item.anomalies is not None:
        shifted = tuple((first + begin, last + begin) for first, last in item.anomalies)
        anomalies = (*(before.anomalies or ()), *shifted)
    return (
        Channels(
            item.id,
            item.names,
            np.concatenate([before.times, item.times]),
            np.concatenate([before.values, item.values]),
            anomalies,
        ),
        begin,
    )


def series_of(config: DataConfig) -> dict[str, list[Channels]]:
    if not sources.is_built(config.source):
        return read_channels(pathlib.Path(config.source).expanduser(), config)
    return _built(config)


@functools.lru_cache(maxsize=1)
def _generated(source: str, chosen: tuple[tuple[str, str], ...]) -> dict[str, list[Channels]]:
    fields = ("id", "values", "labels")
    _, read, names = sources.built(source, AnomalySample, dict(chosen), fields)
    by_split = {}
    for split in names:
        series = []
        for record in read(split).as_numpy_iterator():
            values = record["values"]
            labels = tuple((int(a), int(b)) for a, b in runs(record["labels"] == 1))
            own = CHANNELS if source == "sample" else channel_names(values.shape[1])
            times = np.arange(len(values), dtype=np.int64)
            series.append(Channels(record["id"].decode(), own, times, values, labels))
        by_split[split] = series
    return by_split


def _built(config: DataConfig) -> dict[str, list[Channels]]:
    return _generated(config.source, tuple(sorted(config.splits.items())))
