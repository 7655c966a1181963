"""Series of numbers and their classes: read, checked, scaled."""

import dataclasses

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.data import labels, series_lines

from . import sample
from .config import DataConfig


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What the training records tell: the classes, and each number's mean and deviation."""

    labels: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of `id`, `series` [steps, numbers] and `label`."""
    spec = {"label": tf.TensorSpec([], tf.string)}
    return series_lines.load(config, split, sample.records, _label, spec)


def _label(row, series):
    return {"label": str(row["label"])}


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The classes, and the scale of each number."""
    return Fitted(labels.class_names(records, config.source), *series_lines.moments(records))


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(series, class number)."""
    number = labels.class_numbers(fitted.labels)
    return records.map(lambda record: (record["series"], number(record["label"])))


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=lambda series: tf.shape(series)[0],
    label="label",
)
