"""Folders in which labelled series of several channels are published, and one's own."""

import dataclasses
import json
import pathlib

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json
from rnnsuite.data import tables
from rnnsuite.data.arrays import loaded, numbers
from rnnsuite.data.channels import (
    Channels,
    ChannelsConfig,
    channel_names,
    merged,
    read_table,
    read_tables,
)
from rnnsuite.data.frequency import seconds
from rnnsuite.data.notes import Skips
from rnnsuite.data.splits import WHOLE, path_splits
from rnnsuite.data.within import within

NAB_WINDOWS = pathlib.Path("labels", "combined_windows.json")
"""By which the folder of the Numenta Anomaly Benchmark is known."""
TELEMANOM_LABELS = "labeled_anomalies.csv"
"""By which a folder in the layout of Telemanom is known (Hundman et al., KDD 2018)."""


def read_channels(root: pathlib.Path, config: ChannelsConfig) -> dict[str, list[Channels]]:
    """All series of a path by split.

    Args:
        root: a table; a folder of tables, or of such folders called train, validation and test;
            NAB's folder; or one in Telemanom's layout, with `train/CHANNEL.npy` and
            `test/CHANNEL.npy`, or files `*.npz` with `CHANNEL/train/value` and the like.
        config: how tables are written.

    Returns:
        Series by the splits that the path has; "all" where it has none.

    Raises:
        UserError: for what cannot be read, naming file and line; for series with different
            channels; and for labels that are outside of their series.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    if (root / NAB_WINDOWS).is_file():
        by_split = {WHOLE: _nab(root, config)}
    elif (root / TELEMANOM_LABELS).is_file():
        by_split = _telemanom(root, config)
    else:
        by_split = {split: read_tables(path, config) for split, path in path_splits(root).items()}
    whole = [series for part in by_split.values() for series in part]
    for series in whole:
        if series.names != whole[0].names:
            raise UserError(
                f"{series.id} has the channels {', '.join(series.names)}, and {whole[0].id} "
                f"{', '.join(whole[0].names)}: one model is of the same channels."
            )
    return by_split


def _nab(root: pathlib.Path, config: ChannelsConfig) -> list[Channels]:
    labels = root / NAB_WINDOWS
    windows = read_json(labels)
    corpus = []
    try:
        spans_by_name = {
            name: [(str(a), str(b)) for a, b in spans] for name, spans in windows.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"{labels} does not hold lists of [begin, end] by series.") from error
    for name, spans in spans_by_name.items():
        path = root / "data" / name
        if not path.is_file():
            raise UserError(f"{labels} names {name!r}, of which {root / 'data'} has no file.")
        series = read_table(within(root, path), config)
        steps = [(_step(series, name, begin), _step(series, name, end)) for begin, end in spans]
        anomalies = merged(name, steps, len(series.times))
        corpus.append(dataclasses.replace(series, id=name, anomalies=anomalies))
    return corpus


def _step(series: Channels, name: str, text: str) -> int:
    """The first step at a time, as the benchmark itself looks for it. Raises UserError."""
    try:
        places = np.flatnonzero(series.times == seconds([text])[0])
    except ValueError as error:
        raise UserError(f"{name}: {error.args[0]}, where a window begins or ends.") from error
    if not len(places):
        raise UserError(f"{name} has no observation at {text}, where a window begins or ends.")
    return int(places[0])


def _telemanom(root: pathlib.Path, config: ChannelsConfig) -> dict[str, list[Channels]]:
    labels: dict[str, list[tuple[int, int]]] = {}
    path = root / TELEMANOM_LABELS
    keys = {"chan_id": "chan_id", "anomaly_sequences": "anomaly_sequences"}
    for line, row in tables.table(path, config, keys, Skips("error")):
        try:
            spans = [
                (int(first), int(last)) for first, last in json.loads(row["anomaly_sequences"])
            ]
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{path}, line {line}: {str(row['anomaly_sequences'])[:60]!r} is no list of "
                "[first, last]."
            ) from error
        # A channel that stands there twice has the anomalies of both rows.
        labels.setdefault(row["chan_id"], []).extend(spans)
    arrays = _arrays(root)
    by_split: dict[str, list[Channels]] = {"train": [], "test": []}
    for name, spans in labels.items():
        for split, series in by_split.items():
            if (name, split) not in arrays:
                raise UserError(f"{path} names {name!r}, of which {root} has no {split} series.")
            values = arrays[name, split]
            anomalies = merged(name, spans, len(values)) if split == "test" else ()
            names = channel_names(values.shape[1])
            times = np.arange(len(values), dtype=np.int64)
            series.append(Channels(name, names, times, values, anomalies))
    return by_split


def _arrays(root: pathlib.Path) -> dict[tuple[str, str], np.ndarray]:
    """Values `[time, channels]` by channel and split."""
    arrays = {}
    for split in ("train", "test"):
        for path in sorted((root / split).glob("*.npy")):
            arrays[path.stem, split] = numbers(path, loaded(path)[""])
    for path in sorted(root.glob("*.npz")):
        content = loaded(path)
        for key, values in content.items():
            name, split, kind = [*key.split("/"), "", ""][:3]
            if kind != "value":
                continue
            values = numbers(path, values[:, None] if values.ndim == 1 else values)
            # What was commanded stands behind what was measured.
            command = content.get(f"{name}/{split}/command")
            if command is not None:
                command = numbers(path, command)
                if len(command) != len(values):
                    raise UserError(
                        f"{path}: {name}/{split} has {len(values)} values, and commands at "
                        f"{len(command)} steps."
                    )
                values = np.concatenate([values, command], axis=1)
            arrays[name, split] = values
    return arrays
