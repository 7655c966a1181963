"""Series of numbers and what is said of each, as JSON lines: {"series": [[1.5, 2], ...], ...}."""

import functools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import SourceConfig
from rnnsuite.data.splits import path_splits, with_validation

Said = Callable[[Mapping[str, Any], np.ndarray], Mapping[str, Any]]
SMALLEST = 1e-6
"""Of a deviation, by which numbers are divided."""


def load(
    config: SourceConfig,
    split: str,
    generated: Callable[[str], Sequence[Mapping[str, Any]]],
    said: Said,
    spec: Mapping[str, tf.TensorSpec],
) -> tf.data.Dataset:
    """Records of `id`, `series` `[steps, numbers]` and what is said of it.

    Args:
        config: where from; a file, or a folder with one for each split.
        split: the one wanted.
        generated: `generated(split)` gives the records of the source sample.
        said: `said(row, series)` gives a row's other values; raises KeyError, TypeError or
            ValueError where they are missing or unfit.
        spec: describes those.

    Returns:
        The records of the split.

    Raises:
        UserError: for a line that is no series, and for series of different widths.
        NoSplit: for a split that there is not.
    """
    if config.source == "sample":
        return _data_set(generated(split), spec)
    places = path_splits(pathlib.Path(config.source).expanduser())
    read = functools.partial(_read, config=config, said=said)
    return with_validation(
        lambda name: _data_set(read(places[name]), spec), places, split, "id", config.validation
    )


def _read(path: pathlib.Path, config: SourceConfig, said: Said) -> list[dict[str, Any]]:
    skip = Skips(config.on_error)
    records = []
    with open(path, encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = json.loads(line)
                series = np.asarray(row["series"], np.float32)
                if series.ndim != 2 or not series.size or not np.isfinite(series).all():
                    raise ValueError("series must be [steps][numbers], all finite")
                records.append(
                    {"id": f"{path.name}:{number}", "series": series, **said(row, series)}
                )
            except (ValueError, KeyError, TypeError) as error:
                what = f"there is no {error}" if isinstance(error, KeyError) else error
                skip(f"{path}:{number}: {what}.")
    skip.report(path)
    widths = {len(record["series"][0]) for record in records}
    if len(widths) != 1:
        raise UserError(f"{path} must hold series of one width, not of {sorted(widths)} numbers.")
    return records


def _data_set(
    records: Sequence[Mapping[str, Any]], spec: Mapping[str, tf.TensorSpec]
) -> tf.data.Dataset:
    whole = {
        "id": tf.TensorSpec([], tf.string),
        "series": tf.TensorSpec([None, records[0]["series"].shape[1]], tf.float32),
        **spec,
    }
    data = tf.data.Dataset.from_generator(lambda: iter(records), output_signature=whole)
    return data.apply(tf.data.experimental.assert_cardinality(len(records)))


def moments(records: tf.data.Dataset) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of each number over all steps of all series."""
    rows = np.concatenate([record["series"] for record in records.as_numpy_iterator()])
    deviation = np.maximum(rows.std(axis=0), SMALLEST)
    return tuple(rows.mean(axis=0).tolist()), tuple(deviation.tolist())
