"""Series from a source to windows, divided by time."""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import sources, splits
from rnnsuite.data.channel_layouts import read_channels
from rnnsuite.data.channels import Channels, channel_names, runs
from rnnsuite.layers.running import RunningScale

from .config import DataConfig
from .sample import CHANNELS, AnomalySample

log = logging.getLogger(__name__)
SPLITS = ("train", "validation", "test")
UNLABELLED = -1
LEAST = 8
"""Observations of a series that something can be learned from."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What a series is.

    Args:
        names: of the channels.
        scored: places of those whose anomalies are looked for.
        memory: see `DataConfig`.
        window: observations of a training window.
    """

    names: tuple[str, ...]
    scored: tuple[int, ...]
    memory: float
    window: int

    def scale(self) -> RunningScale:
        """Values beside those before them, as operations of a graph."""
        return RunningScale(len(self.names), self.memory)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Series of one split, each whole.

    Each is a record of `values` `[time, channels]`, NaN where one is missing, `times`, `labels`
    `[time]` (1 of an anomaly, 0, or -1 without labels), its `id` and `names`, and `begin`: the step
    at which the split begins. What stands before it is history that a stream has read by then.

    Raises:
        UserError: on unusable data.
    """
    series = _divided(config, split)
    records = [_record(item, begin) for item, begin in series if len(item.times) > begin]
    if not records:
        raise UserError(f"{config.source}: no series has observations in {split} (data.cuts).")
    channels = len(series[0][0].names)
    spec = {
        "values": tf.TensorSpec([None, channels], tf.float32),
        "times": tf.TensorSpec([None], tf.int64),
        "labels": tf.TensorSpec([None], tf.int32),
        "id": tf.TensorSpec([], tf.string),
        "names": tf.TensorSpec([channels], tf.string),
        "begin": tf.TensorSpec([], tf.int64),
    }
    return tf.data.Dataset.from_generator(lambda: iter(records), output_signature=spec)


def _record(series: Channels, begin: int) -> dict[str, np.ndarray]:
    labels = np.full(len(series.times), UNLABELLED, np.int32)
    if series.anomalies is not None:
        labels[:] = 0
        for first, last in series.anomalies:
            labels[first : last + 1] = 1
    return {
        "values": series.values,
        "times": series.times,
        "labels": labels,
        "id": np.array(series.id.encode(), object),
        "names": np.array([name.encode() for name in series.names], object),
        "begin": np.array(begin, np.int64),
    }


def _divided(config: DataConfig, split: str) -> list[tuple[Channels, int]]:
    """Series with what is before a split, and where in each it begins."""
    by_split = _source(config)
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


def _check_split(split: str, known: Iterable[str]) -> None:
    if split not in known:
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(known))}.")


def _by_time(config: DataConfig, item: Channels, split: str) -> tuple[Channels, int]:
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


def _source(config: DataConfig) -> dict[str, list[Channels]]:
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


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The channels, and which of them are scored.

    Raises:
        UserError: for a channel that there is not, and for series from which nothing can be
            learned: too short, without a value, or without a normal observation.
    """
    names: Sequence[str] = ()
    normal = 0
    present = None
    count = 0
    for record in records.as_numpy_iterator():
        count += 1
        names = tuple(name.decode() for name in record["names"])
        is_present = np.isfinite(record["values"])
        present = is_present.any(axis=0) | (False if present is None else present)
        is_normal = (record["labels"] != 1) & is_present.any(axis=1)
        normal += int(is_normal.sum()) if len(is_normal) >= LEAST else 0
    if not normal:
        raise UserError(
            f"{config.source}: train has no normal observation in a series of at least {LEAST}; "
            "there is nothing to learn from."
        )
    for name in config.scored:
        if name not in names:
            raise UserError(
                f"data.scored: there is no channel {name!r}; there are {_listed(names)}."
            )
    scored = tuple(names.index(name) for name in config.scored) or tuple(range(len(names)))
    empty = [names[place] for place in scored if present is not None and not present[place]]
    if empty:
        raise UserError(f"{config.source}: the channel {empty[0]!r} has no value in train.")
    log.info("%d series of %d channels, %d of them scored.", count, len(names), len(scored))
    return Fitted(tuple(names), scored, config.memory, config.window)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} ... ({len(names)})" if len(names) > 8 else shown


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(inputs, targets) of windows, scaled.

    Inputs are what `RunningScale` gives `[window, 2 channels]`; targets the scored channels'
    `values` and where there is one to learn from, `observed`, both `[window, scored]`. Of a
    validation record windows begin where the split does.
    """
    scale = fitted.scale()
    channels = len(fitted.names)
    scored = list(fitted.scored)

    @tf.function(
        input_signature=[tf.TensorSpec([1, None, channels], tf.float32)], reduce_retracing=True
    )
    def scaled(values):
        return scale.stream(values, scale.zeros(1))[0]

    def windows() -> Iterator[tuple]:
        for record in records.as_numpy_iterator():
            check_channels(record, fitted)
            numbers = scaled(record["values"][None])[0].numpy()
            learned = (record["labels"] != 1)[:, None]
            observed = (numbers[:, channels:][:, scored] > 0) & learned
            yield from _cut(config, numbers, scored, observed, int(record["begin"]))

    spec = (
        tf.TensorSpec([config.window, 2 * channels], tf.float32),
        {
            name: tf.TensorSpec([config.window, len(scored)], tf.float32)
            for name in ("values", "observed")
        },
    )
    return tf.data.Dataset.from_generator(windows, output_signature=spec)


def check_channels(record: dict, fitted: Fitted) -> None:
    """Raises UserError for a series of other channels than the model's."""
    names = tuple(name.decode() for name in record["names"])
    if len(names) != len(fitted.names):
        raise UserError(
            f"{record['id'].decode()} has {len(names)} channels ({_listed(names)}), and the model "
            f"{len(fitted.names)} ({_listed(fitted.names)})."
        )


def _cut(
    config: DataConfig, numbers: np.ndarray, scored: list[int], observed: np.ndarray, begin: int
) -> Iterator[tuple]:
    """Windows of one series, the last one filled with steps that are not observed."""
    length = config.window
    last = max(len(numbers) - length, 0)
    first = min(begin, last)
    for start in sorted({*range(first, last + 1, config.stride), last}):
        part = slice(start, start + length)
        missing = max(length - len(numbers[part]), 0)
        padding = ((0, missing), (0, 0))
        values = np.pad(numbers[part], padding)
        seen = np.pad(observed[part], padding).astype(np.float32)
        yield values, {"values": values[:, scored], "observed": seen}


def length(inputs: tf.Tensor) -> tf.Tensor:
    """Steps of a window."""
    return tf.shape(inputs)[0]


def known_splits(config: DataConfig) -> Iterable[str]:
    """Of a source."""
    by_split = _source(config)
    if splits.WHOLE in by_split:
        return SPLITS
    return {*by_split, "validation"} if "train" in by_split else by_split


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    splits=known_splits,
)
