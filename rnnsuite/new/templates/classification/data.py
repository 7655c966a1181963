"""Series of numbers and their classes: read, checked, scaled."""

import dataclasses
import functools
import json
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import labels
from rnnsuite.data.notes import Skips
from rnnsuite.data.splits import path_splits, with_validation

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
    if config.source == "sample":
        return _records(sample.records(split))
    root = pathlib.Path(config.source)
    places = path_splits(root)
    read = functools.partial(_read, config=config)
    return with_validation(
        lambda name: _records(read(places[name])), places, split, "id", config.validation
    )


def _read(path: pathlib.Path, config: DataConfig) -> list[dict[str, Any]]:
    """The records of a file of JSON lines."""
    skip = Skips(config.on_error)
    records = []
    with open(path, encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = json.loads(line)
                series = np.asarray(row["series"], np.float32)
                if series.ndim != 2 or not series.size or not np.isfinite(series).all():
                    raise ValueError("series must be [steps][numbers], all finite")
                records.append(
                    {"id": f"{path.name}:{number}", "series": series, "label": str(row["label"])}
                )
            except (ValueError, KeyError, TypeError) as error:
                skip(f"{path}:{number}: {error}.")
    skip.report(path)
    widths = {len(record["series"][0]) for record in records}
    if len(widths) != 1:
        raise UserError(f"{path} must hold series of one width, not of {sorted(widths)} numbers.")
    return records


def _records(records: list[dict[str, Any]]) -> tf.data.Dataset:
    width = records[0]["series"].shape[1]
    spec = {
        "id": tf.TensorSpec([], tf.string),
        "series": tf.TensorSpec([None, width], tf.float32),
        "label": tf.TensorSpec([], tf.string),
    }
    data = tf.data.Dataset.from_generator(lambda: iter(records), output_signature=spec)
    return data.apply(tf.data.experimental.assert_cardinality(len(records)))


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The classes, and the scale of each number."""
    names = labels.class_names(records, config.source)
    rows = np.concatenate([record["series"] for record in records.as_numpy_iterator()])
    deviation = np.maximum(rows.std(axis=0), 1e-6)
    return Fitted(names, tuple(rows.mean(axis=0).tolist()), tuple(deviation.tolist()))


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
