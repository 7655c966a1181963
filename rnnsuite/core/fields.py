"""What a request holds: its named inputs, their types and shapes, and how each is written.

The shell, JSON and CSV rows, clients, bulk prediction and the model card use one description.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from rnnsuite.core.errors import UserError, nearest

Record = Mapping[str, Any]


class Field(Protocol):
    """One named input of a request.

    Attributes:
        meaning: what it is, for help texts and the model card.
    """

    @property
    def meaning(self) -> str: ...

    def parse(self, text: str) -> Any:
        """The value that a person wrote in a shell, a line or a cell. Raises UserError."""

    def accept(self, value: Any) -> Any:
        """The value in a JSON row. Raises UserError."""

    def describe(self) -> dict[str, Any]:
        """Plain values for a model card."""
        ...


@dataclasses.dataclass(frozen=True)
class Text:
    """A text, as it is."""

    meaning: str = "a text"

    def parse(self, text: str) -> str:
        return text

    def accept(self, value: Any) -> str:
        if not isinstance(value, str):
            raise UserError(f"a text is expected, not {_kind(value)}")
        return value

    def describe(self) -> dict[str, Any]:
        return {"type": "text", "meaning": self.meaning}


@dataclasses.dataclass(frozen=True)
class File:
    """A file, named by its path; the model gets its bytes.

    Args:
        read: gives the bytes of a path. Raises UserError where it cannot be read.
        meaning: what it is.
    """

    read: Callable[[pathlib.Path], bytes]
    meaning: str = "a file"

    def parse(self, text: str) -> bytes:
        return self.read(pathlib.Path(text).expanduser())

    def accept(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise UserError(f"the path of a file is expected, not {_kind(value)}")
        return self.parse(value)

    def describe(self) -> dict[str, Any]:
        return {"type": "file", "meaning": self.meaning}


@dataclasses.dataclass(frozen=True)
class Array:
    """Numbers of a fixed rank, such as a series `[time, features]`.

    In a shell or a cell they are written as JSON, `[[1, 2], [3, 4]]`, or for a list as numbers
    between commas. Infinities and NaN are refused.

    Args:
        shape: size of every axis without the batch, None where any will do; () for one number. None
            where the model has its own say: a series, or several side by side.
        dtype: NumPy name of the type.
        meaning: what it is, with its unit.
        missing: whether null stands for a number that is missing, NaN in the array.
        optional: whether a request may leave it out; its array is empty then.
    """

    shape: tuple[int | None, ...] | None
    dtype: str = "float32"
    meaning: str = "numbers"
    missing: bool = False
    optional: bool = False

    def empty(self) -> np.ndarray:
        """What stands for a value that a request leaves out."""
        return np.zeros([size or 0 for size in self.shape or (0,)], self.dtype)

    def parse(self, text: str) -> np.ndarray:
        text = text.strip()
        if (self.shape is None or len(self.shape) == 1) and not text.startswith("["):
            text = f"[{text}]"
        try:
            return self.accept(json.loads(text))
        except ValueError as error:
            raise UserError(f"{text[:60]!r} is not JSON: write {self._example()}") from error

    def accept(self, value: Any) -> np.ndarray:
        try:
            numbers = _with_missing(value) if self.missing else np.array(value)
        except ValueError as error:
            raise UserError("rows of different lengths") from error
        if numbers.size == 0:
            numbers = numbers.astype(self.dtype)
        whole = np.dtype(self.dtype).kind in "iu"
        if numbers.dtype.kind not in ("iu" if whole else "iuf"):
            raise UserError(f"{self._wanted()} expected, not {_kind(value)}")
        array = numbers.astype(self.dtype)
        if not self._fits(array.shape):
            raise UserError(f"{self._wanted()} expected, not the shape {list(array.shape)}")
        if self.missing and np.isinf(array).any():
            raise UserError("infinite numbers; null stands for one that is missing")
        if not whole and not self.missing and not np.isfinite(array).all():
            raise UserError("numbers that are not finite (NaN or infinite)")
        if whole and not np.array_equal(array, numbers):
            raise UserError(f"a number out of the range of {self.dtype}")
        return array

    def describe(self) -> dict[str, Any]:
        return {
            "type": self.dtype,
            "shape": None if self.shape is None else list(self.shape),
            "meaning": self.meaning,
        }

    def _fits(self, shape: tuple[int, ...]) -> bool:
        if self.shape is None:
            return len(shape) > 0
        return len(shape) == len(self.shape) and all(
            size in (None, actual) for size, actual in zip(self.shape, shape, strict=True)
        )

    def _wanted(self) -> str:
        if self.shape is None:
            return "numbers of shape [?, ...]"
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"numbers of shape [{sizes}]" if self.shape else "one number"

    def _example(self) -> str:
        value = "1.5" if self.dtype.startswith("float") else "3"
        depth = 1 if self.shape is None else len(self.shape)
        return "[" * depth + value + "]" * depth


def _with_missing(value: Any) -> np.ndarray:
    """An array in which None has become NaN. Raises ValueError for rows of different lengths."""
    plain = np.array(value, dtype=object)
    if any(isinstance(item, list | tuple) for item in plain.reshape(-1)):
        raise ValueError("rows of different lengths")
    if plain.ndim and all(item is None or _is_number(item) for item in plain.reshape(-1)):
        return plain.astype(np.float64)
    return np.array(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def record_from_text(fields: Mapping[str, Field], text: str) -> Record:
    """The record that one INPUT of a shell stands for.

    Args:
        fields: the request's fields.
        text: the value itself where there is one field; a JSON object with a value for each where
            there are several.

    Returns:
        A value for every field.

    Raises:
        UserError: naming the field and what it takes.
    """
    if len(fields) == 1:
        ((name, field),) = fields.items()
        return {name: _named(name, field.parse, text, single=True)}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(
            f"{text[:60]!r} is not JSON: write an object with {', '.join(fields)}."
        ) from error
    return record_from_json(fields, value)


def record_from_json(fields: Mapping[str, Field], value: Any) -> Record:
    """The record in a JSON row: an object with every field, or a bare value where there is one.

    Raises:
        UserError: naming a field that is missing, unknown or unfit.
    """
    if not isinstance(value, Mapping):
        if len(fields) > 1:
            raise UserError(f"an object with {', '.join(fields)} is expected, not {_kind(value)}.")
        value = {next(iter(fields)): value}
    left_out = optional(fields)
    for name in fields:
        if name not in value and name not in left_out:
            raise UserError(f"no {name!r}{_suggestion(name, value)}")
    return {
        name: _named(name, field.accept, value[name]) if name in value else left_out[name]
        for name, field in fields.items()
    }


def record_from_cells(fields: Mapping[str, Field], cells: Mapping[str, str]) -> Record:
    """The record in a row of a table: a column for each field, where it is not optional; an empty
    cell of one that is stands for none. Raises UserError.
    """
    left_out = optional(fields)
    return {
        name: left_out[name]
        if name in left_out and not cells.get(name, "").strip()
        else _named(name, field.parse, cells[name])
        for name, field in fields.items()
    }


def optional(fields: Mapping[str, Field]) -> dict[str, np.ndarray]:
    """What stands for each field that a request may leave out, where it does."""
    return {
        name: field.empty()
        for name, field in fields.items()
        if isinstance(field, Array) and field.optional
    }


def _named(name: str, read: Callable[[Any], Any], value: Any, single: bool = False) -> Any:
    try:
        return read(value)
    except UserError as error:
        message = str(error).removesuffix(".")
        raise UserError(f"{message}." if single else f"{name}: {message}.") from error


def _suggestion(name: str, value: Mapping[str, Any]) -> str:
    return f".{nearest(name, value)}" if value else "; the object is empty."


def _kind(value: Any) -> str:
    names = {
        str: "a string",
        bool: "true or false",
        dict: "an object",
        list: "a list",
        type(None): "null",
    }
    return names.get(
        type(value), "a number" if isinstance(value, int | float) else "something else"
    )


def group_by_shape(records: Sequence[Record], names: Sequence[str], limit: int) -> list[list[int]]:
    """Indices of records that can share a batch: in every named value the same shape.

    Strings and bytes have the shape (). Within a group, neighbours are of like size, so that what
    a graph pads is little.

    Args:
        records: at least the named values each.
        names: the values that go into a batch.
        limit: records in a group at most.

    Returns:
        Groups that hold every index once.
    """
    groups: dict[tuple, list[int]] = {}
    for index, record in enumerate(records):
        groups.setdefault(tuple(np.shape(record[name]) for name in names), []).append(index)
    parts = []
    for indices in groups.values():
        indices.sort(key=lambda index: _weight(records[index][names[0]]))
        parts += [indices[start : start + limit] for start in range(0, len(indices), limit)]
    return parts


def _weight(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes) else int(np.size(value))
