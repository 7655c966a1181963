"""What the records of a split hold: lengths, numbers that are missing, equal inputs, classes."""

import collections
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text


@dataclasses.dataclass
class FieldContents:
    """The values that the records of a split have under one name.

    Args:
        unit: of the lengths: characters, bytes, texts or steps; empty for single numbers.
        lengths: one a record.
        missing: values that hold a number that is NaN or infinite.
        lowest, highest: of every column, of numbers `[steps, columns]`.
    """

    unit: str = ""
    lengths: list[int] = dataclasses.field(default_factory=list)
    missing: int = 0
    lowest: Any = None
    highest: Any = None

    def add(self, value: Any) -> None:
        """Counts a record's value in."""
        if isinstance(value, bytes | str):
            self._add_text(value)
            return
        array = np.asarray(value)
        if array.dtype.kind in "OSU":
            self.unit = "texts"
            self.lengths.append(array.size)
            return
        self.unit = "steps" if array.ndim else ""
        self.lengths.append(len(array) if array.ndim else 1)
        if array.dtype.kind == "f":
            self.missing += not np.isfinite(array).all()
        if array.ndim == 2 and array.size and array.dtype.kind in "fiu":
            self._add_columns(array)

    def _add_text(self, content: bytes | str) -> None:
        text = as_text(content)
        is_file = "\0" in text[:1000] or "\ufffd" in text[:1000]
        self.unit = "bytes" if is_file else "characters"
        self.lengths.append(len(content) if is_file else len(text))

    def _add_columns(self, array: np.ndarray) -> None:
        numbers = np.where(np.isfinite(array), array, np.nan).astype("float64")
        low = np.fmin.reduce(numbers)
        high = np.fmax.reduce(numbers)
        if self.lowest is None:
            self.lowest = low
            self.highest = high
        elif low.shape == self.lowest.shape:
            self.lowest = np.fmin(self.lowest, low)
            self.highest = np.fmax(self.highest, high)

    def values(self) -> dict[str, Any]:
        """Plain values."""
        low, half, high = np.quantile(self.lengths, [0, 0.5, 1]).astype(int).tolist()
        lengths = {"shortest": low, "median": half, "longest": high} if self.unit else {}
        return {"unit": self.unit, **lengths, "missing": self.missing}

    def unchanging(self) -> list[int]:
        """The columns that never change, counted from 0."""
        if self.lowest is None:
            return []
        return np.flatnonzero(self.lowest == self.highest).tolist()


@dataclasses.dataclass
class SplitContents:
    """The records of one split.

    Args:
        name: of the split.
        records: how many.
        fields: by name.
        inputs: how many records have the same input, by its hash.
        classes: of the records, by the hash of their input.
        first: a few words of an input, by its hash.
    """

    name: str
    records: int = 0
    fields: dict[str, FieldContents] = dataclasses.field(default_factory=dict)
    inputs: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    classes: dict[bytes, collections.Counter] = dataclasses.field(default_factory=dict)
    first: dict[bytes, str] = dataclasses.field(default_factory=dict)

    def add(self, record: Record, names: Sequence[str], label: str | None) -> None:
        """Counts a record in.

        Args:
            record: raw.
            names: the values that are its input.
            label: the value that is its class.
        """
        self.records += 1
        for name, value in record.items():
            self.fields.setdefault(name, FieldContents()).add(value)
        key = _hashed(record, names or sorted(set(record) - {label}))
        self.inputs[key] += 1
        if key not in self.first:
            self.first[key] = _words(record, names)
        if label:
            self.classes.setdefault(key, collections.Counter())[as_text(record[label])] += 1

    @property
    def by_class(self) -> dict[str, int]:
        """Records of each class, the most first."""
        total: collections.Counter = collections.Counter()
        for counts in self.classes.values():
            total.update(counts)
        return dict(total.most_common())


def _hashed(record: Record, names: Sequence[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        value = record[name]
        array = np.asarray(value)
        if isinstance(value, bytes | str):
            parts = [value]
        else:
            digest.update(repr(array.shape).encode())
            parts = array.ravel().tolist() if array.dtype.kind in "OSU" else [array.tobytes()]
        for part in parts:
            content = part.encode() if isinstance(part, str) else part
            digest.update(len(content).to_bytes(8, "little"))
            digest.update(content)
    return digest.digest()


def _words(record: Record, names: Sequence[str]) -> str:
    """A few words of a record's input, or its name."""
    for name in (*names, *record):
        if isinstance(record[name], bytes | str):
            text = as_text(record[name])
            if text.isprintable() and text:
                return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
    return f"the one of shape {list(np.shape(record[names[0] if names else next(iter(record))]))}"
