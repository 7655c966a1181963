"""Answers to several records: as arrays, and as values for people."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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
