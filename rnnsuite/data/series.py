"""Time series from tables: long, wide, or a series a row; on a regular grid."""

import dataclasses
import itertools
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data import tables
from rnnsuite.data.frequency import Frequency, infer, seconds, written
from rnnsuite.data.notes import Skips, say
from rnnsuite.data.series_config import SeriesConfig

ALONE = "series"
"""The name of a series that has none."""
LEAST_SECONDS = 10**8
"""Whole numbers below are years or places of observations, and no seconds since 1970."""
SPARSEST = 1000
"""Steps of a grid for each observation at most, beyond a million: a date far off is a mistake."""


@dataclasses.dataclass(frozen=True)
class Series:
    """One series on a regular grid, NaN where an observation is missing.

    Args:
        id: its name.
        start: its first time in seconds since 1970, or its first number.
        values: `[time]` float32.
        past: `[time, covariates]` float32.
        future: `[time or more, covariates]` float32.
        static: `[covariates]` float32.
    """

    id: str
    start: int
    values: np.ndarray
    past: np.ndarray
    future: np.ndarray
    static: np.ndarray


@dataclasses.dataclass
class _Rows:
    """The rows of one series, or of a wide table, as they are read."""

    lines: list[int] = dataclasses.field(default_factory=list)
    times: list[Any] = dataclasses.field(default_factory=list)
    numbers: list[list[float]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class _Table:
    """What is known of a table when its first row was read."""

    path: pathlib.Path
    config: SeriesConfig
    columns: Sequence[str]

    @property
    def layout(self) -> str:
        if self.config.layout != "auto":
            return self.config.layout
        if self.config.target in self.columns:
            return "long"
        is_wide = self.config.time in self.columns or self.config.id not in self.columns
        return "wide" if is_wide else "rows"

    @property
    def has_times(self) -> bool:
        return self.config.time in self.columns

    def numbers(self) -> list[str]:
        """The columns that hold numbers, of a long table the target first. Raises UserError."""
        if self.layout != "long":
            return [name for name in self.columns if name not in (self.config.time, self.config.id)]
        keys = {"data.target": self.config.target}
        for key in ("past", "future", "static"):
            keys |= {f"data.{key}, {name},": name for name in getattr(self.config, key)}
        tables.check_columns(self.path, self.columns, keys)
        return list(keys.values())


def read_series(
    path: pathlib.Path, config: SeriesConfig, skips: Skips
) -> tuple[list[Series], Frequency]:
    """The series of a table, in the order of their first rows, and how often they are observed.

    Args:
        path: a CSV, TSV, JSONL or Parquet file.
        config: how it is written.
        skips: told of rows that are of no use.

    Returns:
        The series and their frequency.

    Raises:
        UserError: for a table without observations, a time that is none, two rows of one time, or
            times that are not on one grid; it names the line.
    """
    rows = tables.table(path, config, {}, skips)
    first = next(rows, None)
    if first is None:
        raise UserError(f"{path} holds no observations.")
    table = _Table(path, config, list(first[1]))
    names = table.numbers()
    by_name: dict[str, _Rows] = {}
    for line, row in itertools.chain([first], rows):
        try:
            numbers = [tables.number(row, name) for name in names]
        except ValueError as error:
            skips(f"{path}, line {line}: {error}.")
            continue
        of = by_name.setdefault(_name(table, line, row), _Rows())
        of.lines.append(line)
        of.times.append(row.get(config.time))
        of.numbers.append(numbers)
    if table.layout == "rows":
        return [_row(path, name, of) for name, of in by_name.items()], Frequency(1, "step")
    return _on_grid(table, names, by_name)


def _name(table: _Table, line: int, row: Mapping[str, Any]) -> str:
    if table.layout == "wide":
        return ALONE
    name = row.get(table.config.id)
    if table.layout == "rows":
        return str(line if name is None else name)
    return ALONE if name is None else str(name)


def _row(path: pathlib.Path, name: str, rows: _Rows) -> Series:
    """A series of one row, whose last cells may be empty. Raises UserError for two rows of it."""
    if len(rows.lines) > 1:
        raise UserError(f"{path}, line {rows.lines[1]}: {name!r} has line {rows.lines[0]} already.")
    values = np.array(rows.numbers[0], np.float32)
    present = np.flatnonzero(~np.isnan(values))
    return _plain(name, 0, values[: present[-1] + 1] if len(present) else values[:0])


def _plain(name: str, start: int, values: np.ndarray) -> Series:
    nothing = np.zeros([len(values), 0], np.float32)
    return Series(name, start, values, nothing, nothing, np.zeros([0], np.float32))


def _on_grid(
    table: _Table, names: Sequence[str], by_name: Mapping[str, _Rows]
) -> tuple[list[Series], Frequency]:
    times = {name: _times(table, rows) for name, rows in by_name.items()}
    for name, rows in by_name.items():
        _sort(table, name, rows, times)
    frequency = _frequency(table, by_name, times)
    series: list[Series] = []
    gaps = []
    for name, rows in by_name.items():
        start = int(times[name][0])
        places = frequency.places(times[name], start)
        _check_places(table, name, rows, times[name], places, frequency)
        grid = np.full([int(places[-1]) + 1, len(names)], np.nan, np.float32)
        grid[places] = np.array(rows.numbers, np.float32)
        if len(grid) > len(places):
            after = times[name][np.flatnonzero(np.diff(places) > 1)[0]]
            gaps.append((name, int(after), len(grid) - len(places)))
        if table.layout == "wide":
            series += [_plain(column, start, grid[:, n]) for n, column in enumerate(names)]
        else:
            series.append(_long(table.config, name, start, grid))
    if gaps:
        total = sum(count for *_, count in gaps)
        name, after, _ = gaps[0]
        say(
            f"{table.path}: {total} times are missing between others and masked, the first in "
            f"{name!r} after {written(after, frequency)}.",
            logging.WARNING,
        )
    return series, frequency


def _times(table: _Table, rows: _Rows) -> np.ndarray:
    """Times of the rows in seconds, or numbers. Raises UserError."""
    if not table.has_times:
        return np.arange(len(rows.lines), dtype=np.int64)
    if _are_numbers(rows):
        return np.array([int(time) for time in rows.times], np.int64)
    try:
        return seconds([str(time) for time in rows.times])
    except ValueError as error:
        message, number = error.args
        raise UserError(f"{table.path}, line {rows.lines[number]}: {message}.") from error


def _are_numbers(rows: _Rows) -> bool:
    return all(isinstance(time, int) or str(time).isdigit() for time in rows.times)


def _sort(table: _Table, name: str, rows: _Rows, times: dict[str, np.ndarray]) -> None:
    """Rows in the order of their times. Raises UserError for two of one time."""
    order = np.argsort(times[name], kind="stable")
    if (order[1:] < order[:-1]).any():
        line = rows.lines[int(np.flatnonzero(np.diff(times[name]) < 0)[0]) + 1]
        say(f"{table.path}, line {line}: earlier than the row before; rows are sorted by time.")
        rows.lines = [rows.lines[n] for n in order]
        rows.numbers = [rows.numbers[n] for n in order]
        times[name] = times[name][order]
    double = np.flatnonzero(np.diff(times[name]) == 0)
    if len(double):
        first = rows.lines[double[0]]
        second = rows.lines[double[0] + 1]
        time = written(int(times[name][double[0]]))
        raise UserError(
            f"{table.path}, line {second}: {name!r} has {time} already in line {first}. Where "
            "clocks are put back in autumn, write times in UTC or with their offset."
        )


def _frequency(
    table: _Table, by_name: Mapping[str, _Rows], times: Mapping[str, np.ndarray]
) -> Frequency:
    if table.config.frequency != "auto":
        return Frequency.parse(table.config.frequency)
    if not table.has_times:
        return Frequency(1, "step")
    try:
        frequency = infer(times.values())
    except ValueError as error:
        raise UserError(f"{table.path}: {error}; say data.frequency.") from error
    largest = max(int(item[-1]) for item in times.values())
    if largest < LEAST_SECONDS and all(map(_are_numbers, by_name.values())):
        return Frequency(frequency.count, "step")
    return frequency


def _check_places(
    table: _Table,
    name: str,
    rows: _Rows,
    times: np.ndarray,
    places: np.ndarray,
    frequency: Frequency,
) -> None:
    if places[-1] > 10**6 + SPARSEST * len(places):
        raise UserError(
            f"{table.path}, line {rows.lines[-1]}: {written(int(times[-1]), frequency)} is "
            f"{places[-1]} steps of 1 {frequency} after {written(int(times[0]), frequency)}, and "
            f"{name!r} has {len(places)} observations: is one of the two mistaken (data.frequency)?"
        )
    odd = np.flatnonzero(places < 0)
    if len(odd):
        raise UserError(
            f"{table.path}, line {rows.lines[odd[0]]}: {written(int(times[odd[0]]), frequency)} of "
            f"{name!r} is no whole number of steps of 1 {frequency} after "
            f"{written(int(times[0]), frequency)}: one series has one frequency (data.frequency)."
        )


def _long(config: SeriesConfig, name: str, start: int, grid: np.ndarray) -> Series:
    """A series of a long table, up to its last target; covariates of the future may go on."""
    ends = np.cumsum([1, len(config.past), len(config.future), len(config.static)])
    present = np.flatnonzero(~np.isnan(grid[:, 0]))
    length = int(present[-1]) + 1 if len(present) else 0
    past, future, static = (grid[:, ends[n] : ends[n + 1]] for n in range(3))
    return Series(name, start, grid[:length, 0], past[:length], future, static[:1].reshape(-1))
