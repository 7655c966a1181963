"""Recordings from a source to windows with a class at every step, divided by people."""

import collections
import dataclasses
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text
from rnnsuite.data import people
from rnnsuite.data.recordings import Recording

from .augment import augment
from .config import DataConfig
from .corpus import of_split, recordings_of

log = logging.getLogger(__name__)
BACKGROUND = "_background_"
"""The class of steps in which nothing happens; its number is 0."""
SMALLEST = 1e-6
"""Of a channel's deviation."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and what a step is.

    Args:
        labels: the classes of events in the order of their numbers, which begin with 1.
        others: classes behind them that are no events.
        rate: samples a second.
        mean, deviation: of each channel.
        weights: of steps of the background and of each class.
        memory: steps by which samples are scaled once more; 0 for none.
        hop, context, look_ahead, window, matching, tolerance: see `DataConfig`.
    """

    labels: tuple[str, ...]
    others: tuple[str, ...]
    rate: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weights: tuple[float, ...]
    memory: int
    hop: int
    context: int
    look_ahead: int
    window: int
    matching: str
    tolerance: float

    @property
    def classes(self) -> tuple[str, ...]:
        """All that the network tells but the background, whose number is 0."""
        return (*self.labels, *self.others)

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return self.hop / self.rate

    def steps(self, seconds: float, least: int = 1) -> int:
        """So many seconds in steps."""
        return max(round(seconds / self.step), least)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Recordings of one split, each whole.

    Each is a record of `values` `[time, channels]`, its `id`, `person` and `rate`, and `events`: a
    JSON list of [label, first, last] in samples, points widened, or null without annotations.

    Raises:
        UserError: on unusable data.
    """
    recordings = of_split(config, split)
    channels = {recording.values.shape[1] for recording in recordings}
    if len(channels) > 1:
        raise UserError(f"{config.source}: recordings have {sorted(channels)} channels.")
    spec = {
        "values": tf.TensorSpec([None, channels.pop()], tf.float32),
        "rate": tf.TensorSpec([], tf.float32),
        **{name: tf.TensorSpec([], tf.string) for name in ("id", "person", "events")},
    }

    def records() -> Iterator[dict]:
        for recording in recordings:
            yield {
                "values": recording.values,
                "rate": np.float32(recording.rate),
                "id": recording.id,
                "person": recording.person,
                "events": json.dumps(_events(config, recording)),
            }

    return tf.data.Dataset.from_generator(records, output_signature=spec)


def _events(config: DataConfig, recording: Recording) -> list[tuple[str, int, int]] | None:
    if recording.events is None:
        return None
    half = config.point * recording.rate / 2
    events = []
    for event in recording.events:
        widened = half if event.first == event.last else 0.0
        first = max(round(event.first - widened), 0)
        last = min(round(event.last + widened), len(recording.values) - 1)
        events.append((event.label, first, last))
    return events


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Classes, rate, and each channel's mean and deviation.

    Raises:
        UserError: for recordings of different rates, without events, or shorter than a step.
    """
    lasting: collections.Counter[str] = collections.Counter()
    rates: set[float] = set()
    count = 0
    total = np.zeros(())
    squares = np.zeros(())
    for record in records.as_numpy_iterator():
        events = json.loads(record["events"])
        for label, first, last in events or ():
            lasting[label] += last + 1 - first
        rates.add(float(record["rate"]))
        values = record["values"].astype(np.float64)
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
    if len(rates) > 1:
        raise UserError(f"{config.source}: recordings are of {sorted(rates)} samples a second.")
    others = sorted(set(lasting) & set(config.background))
    labels = sorted(set(lasting) - set(others))
    if not labels:
        raise UserError(f"{config.source}: train has no events (data.label, data.background).")
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    # A channel that never changes is left as it is.
    deviation = np.where(deviation > SMALLEST * np.maximum(np.abs(mean), SMALLEST), deviation, 1.0)
    (rate,) = rates
    log.info("%d classes, %.1f minutes.", len(labels), count / rate / 60)
    return Fitted(
        tuple(labels),
        tuple(others),
        rate,
        tuple(mean.tolist()),
        tuple(deviation.tolist()),
        _weights(config, count, [lasting[label] for label in (*labels, *others)]),
        round(config.memory * rate / config.hop),
        config.hop,
        config.context,
        config.look_ahead,
        config.window,
        config.matching,
        config.tolerance,
    )


def _weights(config: DataConfig, samples: int, lasting: Sequence[int]) -> tuple[float, ...]:
    """Of the background and of each class, by the samples that each lasts; 1 on average."""
    shares = np.array([max(samples - sum(lasting), 1), *lasting]) / samples
    weights = (1 / shares) ** config.balance
    return tuple((weights / (weights * shares).sum()).tolist())


def active(fitted: Fitted, record: Mapping, steps: int) -> np.ndarray:
    """Whether each class happens at each step's middle.

    Args:
        fitted: gives the classes.
        record: see `load`.
        steps: of the recording.

    Returns:
        bool `[steps, classes]`; of other classes than train's nothing is said.
    """
    flags = np.zeros([steps, len(fitted.classes)], bool)
    middle = fitted.hop // 2
    for label, first, last in json.loads(record["events"]) or ():
        if label in fitted.classes:
            begin = max(-(-(first - middle) // fitted.hop), 0)
            end = (last - middle) // fitted.hop + 1
            flags[begin:end, fitted.classes.index(label)] = True
    return flags


def check_record(record: Mapping, fitted: Fitted) -> None:
    """Raises UserError for a recording of another rate, or other channels, than the model's."""
    name = as_text(record["id"])
    channels = record["values"].shape[1]
    if channels != len(fitted.mean):
        raise UserError(f"{name} has {channels} channels, and the model {len(fitted.mean)}.")
    if abs(float(record["rate"]) - fitted.rate) > 1e-3 * fitted.rate:
        raise UserError(
            f"{name} has {float(record['rate']):g} samples a second, and the model "
            f"{fitted.rate:g}: resample it."
        )


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """The windows of recordings.

    Args:
        config: the data section.
        fitted: gives classes and weights.
        records: see `load`.

    Returns:
        (samples `[window * hop, channels]`, targets): `active` `[window, classes]`, 1 where a class
        happens, and `weight` `[window]`, 0 behind the end of a recording.

    Raises:
        UserError: for another rate or number of channels than the model's, and a look-ahead as long
            as a window.
    """
    length = config.window
    hop = config.hop
    if config.look_ahead >= length:
        raise UserError(f"data.look_ahead: {config.look_ahead} is not below data.window, {length}.")

    def windows() -> Iterator[tuple]:
        for record in records.as_numpy_iterator():
            check_record(record, fitted)
            steps = len(record["values"]) // hop
            flags = active(fitted, record, steps)
            last = max(steps - length, 0)
            for start in sorted({*range(0, last + 1, config.stride), last}):
                part = record["values"][start * hop : min(start + length, steps) * hop]
                missing = length - len(part) // hop
                samples = np.pad(part, ((0, missing * hop), (0, 0)), mode="edge")
                classes = np.pad(flags[start : start + length], ((0, missing), (0, 0)))
                number = np.where(classes.any(axis=1), 1 + classes.argmax(axis=1), 0)
                within = np.arange(length) < length - missing
                weight = np.where(within, np.array(fitted.weights)[number], 0)
                targets = {
                    "active": classes.astype(np.float32),
                    "weight": weight.astype(np.float32),
                }
                yield samples, targets

    spec = (
        tf.TensorSpec([length * hop, len(fitted.mean)], tf.float32),
        {
            "active": tf.TensorSpec([length, len(fitted.classes)], tf.float32),
            "weight": tf.TensorSpec([length], tf.float32),
        },
    )
    return tf.data.Dataset.from_generator(windows, output_signature=spec)


def length(samples: tf.Tensor) -> tf.Tensor:
    """Samples of a window."""
    return tf.shape(samples)[0]


def known_splits(config: DataConfig) -> Iterable[str]:
    """Of a source."""
    return people.split_names(recordings_of(config))


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=known_splits,
)
