"""Answers to several records: as arrays, and as values for people."""

import csv
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from rnnsuite.core.files import atomic_file

Answers = dict[str, np.ndarray]
"""An array a name with one row a record; rows of different shapes make an array of objects."""


def gather(rows: Sequence[Mapping[str, Any]]) -> Answers:
    """One array a name from a list of answers."""
    return {
        name: _column([np.asarray(row[name]) for row in rows]) for name in (rows[0] if rows else ())
    }


def _column(values: list[np.ndarray]) -> np.ndarray:
    if len({value.shape for value in values}) == 1:
        return np.stack(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def readable(answers: Answers, row: int) -> dict[str, Any]:
    """One row of answers as plain Python values, strings decoded, words before numbers."""

    def rank(name):
        # A label before its probabilities.
        return answers[name].dtype.kind == "f", answers[name].ndim, name

    return {name: _plain(np.asarray(answers[name][row])[()]) for name in sorted(answers, key=rank)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def write_table(path: pathlib.Path, stored: BinaryIO) -> None:
    """Writes answers as a CSV file, or for the ending .tsv as a TSV file.

    An input of several fields, and an answer of named values, have a column each; a list is one
    cell of JSON.

    Args:
        path: the file, which appears whole or not at all.
        stored: lines of JSON objects, which are read twice.
    """
    columns: dict[str, None] = {}
    stored.seek(0)
    for line in stored:
        columns.update(dict.fromkeys(_cells(json.loads(line))))
    # An error stands last, where the answers of other rows do not push it away.
    names = sorted(columns, key=lambda name: name == "error")
    stored.seek(0)
    with atomic_file(path) as part, open(part, "w", encoding="utf-8", newline="") as stream:
        dialect = "excel-tab" if path.suffix.lower() == ".tsv" else "excel"
        writer = csv.DictWriter(stream, names, restval="", dialect=dialect)
        writer.writeheader()
        writer.writerows(_cells(json.loads(line)) for line in stored)


def _cells(line: Mapping[str, Any]) -> dict[str, Any]:
    cells = {}
    for name, value in line.items():
        if isinstance(value, Mapping):
            cells |= {key: _cell(inner) for key, inner in value.items()}
        else:
            cells[name] = _cell(value)
    return cells


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
