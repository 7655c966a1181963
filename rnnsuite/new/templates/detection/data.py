"""Series of numbers and the events in them: read, checked, scaled."""

import dataclasses
import json

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import series_lines

from . import sample
from .config import DataConfig

BACKGROUND = 1
"""The class of steps in which nothing happens; events' follow, and 0 stands behind a series."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What the training records tell: the events' labels, each number's mean and deviation."""

    labels: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of `id`, `series` [steps, numbers] and `events`, JSON of [label, first, last]."""
    spec = {"events": tf.TensorSpec([], tf.string)}
    return series_lines.load(config, split, sample.records, _events, spec)


def _events(row, series):
    events = [(str(label), int(first), int(last)) for label, first, last in row["events"]]
    for label, first, last in events:
        if not 0 <= first <= last < len(series):
            raise ValueError(
                f"{label} from {first} to {last} is not within the {len(series)} steps"
            )
    return {"events": json.dumps(events)}


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The labels, and the scale of each number."""
    found = {
        label
        for record in records.as_numpy_iterator()
        for label, _, _ in json.loads(record["events"])
    }
    if not found:
        raise UserError(f"{config.source}: the training split has no events.")
    return Fitted(tuple(sorted(found)), *series_lines.moments(records))


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(series, the class of each step [steps]); labels that train does not have are background."""

    def classes(events, series):
        numbers = np.full([len(series)], BACKGROUND, np.int32)
        for label, first, last in json.loads(events):
            if label in fitted.labels:
                numbers[first : last + 1] = BACKGROUND + 1 + fitted.labels.index(label)
        return numbers

    def example(record):
        arguments = [record["events"], record["series"]]
        numbers = tf.numpy_function(classes, arguments, tf.int32)
        return record["series"], tf.ensure_shape(numbers, [None])

    return records.map(example)


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=lambda series: tf.shape(series)[0],
)
