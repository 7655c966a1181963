"""Series of several channels, observation by observation, and the anomalies labelled in them.

Unlike `rnnsuite.data.series`, rows stay as they are: no grid is laid over them, because a stream
has none either.
"""

import dataclasses
import logging
import pathlib
from collections.abc import Sequence

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.section import section
from rnnsuite.data import tables
from rnnsuite.data.frequency import seconds
from rnnsuite.data.notes import Skips, say
from rnnsuite.data.source_config import TableConfig


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


def read_tables(root: pathlib.Path, config: ChannelsConfig) -> list[Channels]:
    """The series of a table, or of all tables in and below a folder. Raises UserError."""
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
    lines: list[int] = []
    times: list[str] = []
    values: list[list[float]] = []
    labels: list[bool] = []
    has_times = False
    has_labels = False
    for line, row in tables.table(path, config, {}, skips):
        if not lines:
            has_times = config.time in row
            has_labels = config.label in row
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
    try:
        if all(text.isdigit() for text in texts):
            times = np.array([int(text) for text in texts], np.int64)
        else:
            times = seconds(texts)
    except OverflowError as error:
        raise UserError(
            f"{path}: {max(texts, key=len)[:60]} is no time, it has too many digits."
        ) from error
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


def channel_names(count: int) -> tuple[str, ...]:
    """Names of channels that have none of their own."""
    return tuple(f"channel {number}" for number in range(count))


def runs(flags: np.ndarray) -> np.ndarray:
    """First and last step of every run of true flags `[runs, 2]`."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1], axis=1)


def _pairs(flags: np.ndarray) -> tuple[tuple[int, int], ...]:
    return tuple((int(first), int(last)) for first, last in runs(flags))


def merged(
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
