"""Series of several channels, observation by observation, and the anomalies labelled in them.

Unlike `rnnsuite.data.series`, rows stay as they are: no grid is laid over them, because a stream
has none either.
"""

import dataclasses
import json
import logging
import pathlib
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json
from rnnsuite.core.section import section
from rnnsuite.data import tables
from rnnsuite.data.frequency import seconds
from rnnsuite.data.notes import Skips, say
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.splits import WHOLE, path_splits

NAB_WINDOWS = pathlib.Path("labels", "combined_windows.json")
"""By which the folder of the Numenta Anomaly Benchmark is known."""
TELEMANOM_LABELS = "labeled_anomalies.csv"
"""By which a folder in the layout of Telemanom is known (Hundman et al., KDD 2018)."""


@section
class ChannelsConfig(TableConfig):
    """Where series of several channels come from, and which columns are no channels."""

    time: str = "timestamp"
    """The column of times; in tables without it, observations are numbered."""
    label: str = "label"
    """The column that says of each row whether it is an anomaly, 1 or 0, where there is one."""


@dataclasses.dataclass(frozen=True)
class Channels:
    """One series of several channels.

    Args:
        id: its name.
        names: of the channels.
        times: int64 `[time]`, seconds since 1970, or numbers from 0 on.
        values: float32 `[time, channels]`, NaN where an observation is missing.
        anomalies: first and last step of each that is labelled, in order; None without labels.
    """

    id: str
    names: tuple[str, ...]
    times: np.ndarray
    values: np.ndarray
    anomalies: tuple[tuple[int, int], ...] | None

    def part(self, begin: int, end: int) -> "Channels":
        """The steps from begin on, before end, and the parts of anomalies that lie in them."""
        anomalies = None
        if self.anomalies is not None:
            anomalies = tuple(
                (max(first, begin) - begin, min(last, end - 1) - begin)
                for first, last in self.anomalies
                if last >= begin and first < end
            )
        return Channels(
            self.id, self.names, self.times[begin:end], self.values[begin:end], anomalies
        )


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
        by_split = {split: _tables(path, config) for split, path in path_splits(root).items()}
    whole = [series for part in by_split.values() for series in part]
    for series in whole:
        if series.names != whole[0].names:
            raise UserError(
                f"{series.id} has the channels {', '.join(series.names)}, and {whole[0].id} "
                f"{', '.join(whole[0].names)}: one model is of the same channels."
            )
    return by_split


def _tables(root: pathlib.Path, config: ChannelsConfig) -> list[Channels]:
    paths = [root] if root.is_file() else sorted(root.rglob("*"))
    paths = [path for path in paths if path.is_file() and (path == root or tables.is_table(path))]
    if not paths:
        raise UserError(f"{root} holds no {', '.join(tables.SUFFIXES)} file.")
    return [read_table(path, config) for path in paths]


def read_table(path: pathlib.Path, config: ChannelsConfig) -> Channels:
    """The series in a table: a row for each observation, a column for each channel.

    Raises:
        UserError: for a table without rows or channels, a time that is none, or a label
            that is neither 0 nor 1; it names the line.
    """
    skips = Skips(config.on_error)
    names: list[str] = []
    lines, times, values, labels = [], [], [], []
    has_times = has_labels = False
    for line, row in tables.table(path, config, {}, skips):
        if not lines:
            has_times, has_labels = config.time in row, config.label in row
            names = [name for name in row if name not in (config.time, config.label)]
        try:
            numbers = [tables.number(row, name) for name in names]
            label = tables.number(row, config.label) if has_labels else 0.0
            if label not in (0.0, 1.0):
                raise ValueError(f"{config.label} is {row[config.label]!r}, neither 0 nor 1")
        except ValueError as error:
            skips(f"{path}, line {line}: {error}.")
            continue
        lines.append(line)
        times.append(str(row.get(config.time)))
        values.append(numbers)
        labels.append(label == 1.0)
    skips.report(path)
    if not lines or not names:
        raise UserError(f"{path} holds no {'observations' if not lines else 'channels'}.")
    return Channels(
        path.stem,
        tuple(names),
        _times(path, lines, times) if has_times else np.arange(len(lines), dtype=np.int64),
        np.array(values, np.float32),
        _pairs(np.array(labels)) if has_labels else None,
    )


def _times(path: pathlib.Path, lines: Sequence[int], texts: Sequence[str]) -> np.ndarray:
    if all(text.isdigit() for text in texts):
        times = np.array([int(text) for text in texts], np.int64)
    else:
        try:
            times = seconds(texts)
        except ValueError as error:
            message, place = error.args
            raise UserError(f"{path}, line {lines[place]}: {message}.") from error
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        place = int(back[0]) + 1
        say(
            f"{path}, line {lines[place]}: the time {texts[place]} is before {texts[place - 1]}; "
            "observations stay in the order of their rows.",
            logging.WARNING,
        )
    return times


def runs(flags: np.ndarray) -> np.ndarray:
    """First and last step of every run of true flags `[runs, 2]`."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], axis=1)


def _pairs(flags: np.ndarray) -> tuple[tuple[int, int], ...]:
    return tuple((int(first), int(last)) for first, last in runs(flags))


def _merged(
    where: str, anomalies: Sequence[tuple[int, int]], length: int
) -> tuple[tuple[int, int], ...]:
    """Labels as ranges that do not overlap. Raises UserError for one outside of its series."""
    flags = np.zeros(length, bool)
    steps = 0
    for first, last in anomalies:
        if not 0 <= first <= last < length:
            raise UserError(
                f"{where}: an anomaly from {first} to {last} is not within the {length} steps."
            )
        flags[first : last + 1] = True
        steps += last + 1 - first
    if flags.sum() < steps:
        say(f"{where}: labels overlap, and are taken together.", logging.WARNING)
    return _pairs(flags)


def _nab(root: pathlib.Path, config: ChannelsConfig) -> list[Channels]:
    windows = read_json(root / NAB_WINDOWS)
    found = []
    for name, spans in windows.items():
        series = read_table(root / "data" / name, config)
        steps = [(_step(series, name, first), _step(series, name, last)) for first, last in spans]
        anomalies = _merged(name, steps, len(series.times))
        found.append(dataclasses.replace(series, id=name, anomalies=anomalies))
    return found


def _step(series: Channels, name: str, text: str) -> int:
    """The first step at a time, as the benchmark itself looks for it. Raises UserError."""
    places = np.flatnonzero(series.times == seconds([text])[0])
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
    found: dict[str, list[Channels]] = {"train": [], "test": []}
    for name, spans in labels.items():
        for split, series in found.items():
            if (name, split) not in arrays:
                raise UserError(f"{path} names {name!r}, of which {root} has no {split} series.")
            values = arrays[name, split]
            anomalies = _merged(name, spans, len(values)) if split == "test" else ()
            names = tuple(f"channel {number}" for number in range(values.shape[1]))
            times = np.arange(len(values), dtype=np.int64)
            series.append(Channels(name, names, times, values, anomalies))
    return found


def _arrays(root: pathlib.Path) -> dict[tuple[str, str], np.ndarray]:
    """Values `[time, channels]` by channel and split."""
    found = {}
    for split in ("train", "test"):
        for path in sorted((root / split).glob("*.npy")):
            found[path.stem, split] = _checked(path, _load(path))
    for path in sorted(root.glob("*.npz")):
        content = _load(path)
        for key in content.files:
            name, split, kind = [*key.split("/"), "", ""][:3]
            if kind == "value":
                # What was commanded stands behind what was measured.
                parts = [content[key][:, None], content.get(f"{name}/{split}/command")]
                whole = np.concatenate([part for part in parts if part is not None], axis=1)
                found[name, split] = _checked(path, whole)
    return found


def _load(path: pathlib.Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as numbers ({error}).") from error


def _checked(path: pathlib.Path, values: np.ndarray) -> np.ndarray:
    if values.ndim != 2 or values.dtype.kind not in "iufb" or not values.size:
        raise UserError(
            f"{path}: numbers [time, channels] are expected, not {values.dtype} {values.shape}."
        )
    return values.astype(np.float32)
