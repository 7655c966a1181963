"""Series from a source to windows, divided by time."""

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import splits
from rnnsuite.data.channels import Channels
from rnnsuite.layers.running import RunningScale

from .config import DataConfig
from .corpus import SPLITS, divided, series_of

log = logging.getLogger(__name__)
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
    series = divided(config, split)
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
    """The windows of series, scaled by what came before.

    Args:
        config: the data section.
        fitted: gives the channels.
        records: see `load`. Of a validation series windows begin where the split does.

    Returns:
        (inputs, targets): what `RunningScale` gives `[window, 2 channels]`; the scored channels'
        `values` and, where there is one to learn from, `observed`, both `[window, scored]`.

    Raises:
        UserError: for other channels than the model's.
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
        flags = np.pad(observed[part], padding).astype(np.float32)
        yield values, {"values": values[:, scored], "observed": flags}


def length(inputs: tf.Tensor) -> tf.Tensor:
    """Steps of a window."""
    return tf.shape(inputs)[0]


def known_splits(config: DataConfig) -> Iterable[str]:
    """Of a source."""
    by_split = series_of(config)
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
