"""Tables of numbers over time: read, divided by time, cut into windows."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.channels import read_tables

from . import sample
from .config import DataConfig

SPLITS = ("train", "validation", "test")
"""In the order of time."""
SMALLEST = 1e-6
"""Of a deviation, by which numbers are divided."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What the training records tell.

    Args:
        deviation: each column's.
        past, horizon: steps back and ahead.
    """

    deviation: tuple[float, ...]
    past: int
    horizon: int


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of `id`, `series` [past, columns] and `future` [horizon, columns], which lies in the
    split: windows with a missing value are left out.
    """
    if split not in SPLITS:
        raise NoSplit(f"There is no {split} split; there are {', '.join(SPLITS)}.")
    windows = []
    for name, values in _tables(config):
        windows += _windows(config, name, values, split)
    if not windows:
        raise UserError(
            f"{config.source}: the {split} split has no {config.past} + {config.horizon} steps "
            "without a missing value (data.past, data.horizon, data.validation, data.test)."
        )
    columns = {window["series"].shape[1] for window in windows}
    if len(columns) > 1:
        raise UserError(f"{config.source}: tables have {sorted(columns)} columns of numbers.")
    return tf.data.Dataset.from_tensor_slices(
        {name: [window[name] for window in windows] for name in windows[0]}
    )


def _tables(config: DataConfig) -> list[tuple[str, np.ndarray]]:
    if config.source == "sample":
        return sample.tables()
    root = pathlib.Path(config.source).expanduser()
    if not root.exists():
        raise UserError(f"There is no {root}.")
    return [(table.id, table.values) for table in read_tables(root, config)]


def _windows(config: DataConfig, name: str, values: np.ndarray, split: str) -> list[dict]:
    """The windows of a table whose future lies in the split: one a step in train, else apart."""
    bounds = np.array([0, 1 - config.validation - config.test, 1 - config.test, 1]) * len(values)
    begin, end = bounds.round().astype(int)[SPLITS.index(split) :][:2]
    step = 1 if split == "train" else config.horizon
    windows = []
    for origin in range(max(begin, config.past), end - config.horizon + 1, step):
        series = values[origin - config.past : origin]
        future = values[origin : origin + config.horizon]
        if np.isfinite(series).all() and np.isfinite(future).all():
            windows.append({"id": f"{name}:{origin}", "series": series, "future": future})
    return windows


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The scale of each column: how much it differs from its last value within a window."""
    moves = [record["series"] - record["series"][-1] for record in records.as_numpy_iterator()]
    deviation = np.maximum(np.concatenate(moves).std(axis=0), SMALLEST)
    return Fitted(tuple(deviation.tolist()), config.past, config.horizon)


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """(series, future over the deviation)."""
    deviation = tf.constant(fitted.deviation)
    return records.map(lambda record: (record["series"], record["future"] / deviation))


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=lambda series: tf.shape(series)[0],
    splits=lambda config: SPLITS,
)
