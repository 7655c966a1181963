"""Files of many requests, read row by row: .jsonl, .csv, .tsv and .txt."""

import csv
import dataclasses
import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Field, Record, record_from_cells, record_from_json
from rnnsuite.data.tables import delimited, is_undecodable

SUFFIXES = (".jsonl", ".txt", ".csv", ".tsv")


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a file of requests.

    Args:
        number: counted from 1.
        shown: what stands in the file, for the output; None where it cannot be read.
        record: the request; None where it is unusable.
        fault: what is wrong with it.
    """

    number: int
    shown: Any
    record: Record | None
    fault: str = ""


def read_rows(
    stream: BinaryIO, path: pathlib.Path, fields: Mapping[str, Field], columns: Mapping[str, str]
) -> Iterator[Row]:
    """Every row of a file, good or bad.

    Args:
        stream: the file, opened; read line by line, so `stream.tell()` says how far.
        path: its name, whose suffix says how it is written.
        fields: what a request holds.
        columns: the column or key of each field, where it is not the field's name.

    Yields:
        A row for each request.

    Raises:
        UserError: where the file as a whole is unusable.
    """
    names = {name: columns.get(name, name) for name in fields}
    lines = iter(stream.readline, b"")
    readers = {".jsonl": _json_rows, ".txt": _text_rows}
    rows = readers[path.suffix](lines, fields, names) if path.suffix in readers else None
    if rows is None:
        rows = _table_rows(lines, fields, names, path)
    for number, (shown, record, fault) in enumerate(rows, 1):
        yield Row(number, shown, record, fault)


Parts = tuple[Any, Record | None, str]


def _text_rows(
    lines: Iterable[bytes], fields: Mapping[str, Field], names: Mapping[str, str]
) -> Iterator[Parts]:
    if len(fields) != 1:
        raise UserError(
            f"A .txt file holds one value a line; give {', '.join(fields)} in .jsonl or .csv."
        )
    (name,) = fields
    for line in lines:
        text = _decoded(line.rstrip(b"\r\n"))
        yield (
            (None, None, "not UTF-8")
            if text is None
            else _checked_cells(fields, {name: text}, text)
        )


def _json_rows(
    lines: Iterable[bytes], fields: Mapping[str, Field], names: Mapping[str, str]
) -> Iterator[Parts]:
    for line in lines:
        text = _decoded(line.strip())
        if text == "":
            continue
        if text is None:
            yield None, None, "not UTF-8"
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            yield None, None, "not JSON"
            continue
        yield _json_parts(fields, names, value)


def _json_parts(fields: Mapping[str, Field], names: Mapping[str, str], value: Any) -> Parts:
    if isinstance(value, Mapping):
        others = {key: each for key, each in value.items() if key not in names}
        value = {**others, **{name: value[key] for name, key in names.items() if key in value}}
    try:
        record = record_from_json(fields, value)
    except UserError as error:
        return None, None, str(error).removesuffix(".")
    is_bare = not isinstance(value, Mapping) or len(fields) > 1
    shown = value if is_bare else value[next(iter(fields))]
    return shown, record, ""


def _table_rows(
    lines: Iterable[bytes],
    fields: Mapping[str, Field],
    names: Mapping[str, str],
    path: pathlib.Path,
) -> Iterator[Parts]:
    reader = delimited(lines, path.suffix)
    if reader.fieldnames is None:
        return
    header = [name.lstrip("\ufeff") for name in reader.fieldnames]
    for name, column in names.items():
        if column not in header:
            columns = ", ".join(header)
            raise UserError(
                f"{path} has no column {column!r}; it has {columns}. Name one with --field "
                f"{name}=COLUMN."
            )
    reader.fieldnames = header
    yield from _cells(reader, fields, names)


def _cells(
    reader: csv.DictReader, fields: Mapping[str, Field], names: Mapping[str, str]
) -> Iterator[Parts]:
    position = {name: (reader.fieldnames or []).index(column) for name, column in names.items()}
    for row in reader:
        cells = {name: row[column] for name, column in names.items()}
        if any(is_undecodable(cell) for cell in cells.values()):
            yield None, None, "not UTF-8"
        elif any(position[name] >= _width(row) for name in names):
            missing = next(name for name in names if position[name] >= _width(row))
            yield None, None, f"no column {names[missing]!r}"
        else:
            yield _checked_cells(
                fields, cells, cells if len(cells) > 1 else next(iter(cells.values()))
            )


def _width(row: Mapping[str, Any]) -> int:
    """Cells that a row really has: the reader fills short rows up with None."""
    return sum(value is not None for value in row.values())


def _checked_cells(fields: Mapping[str, Field], cells: Mapping[str, str], shown: Any) -> Parts:
    try:
        return shown, record_from_cells(fields, cells), ""
    except UserError as error:
        return shown, None, str(error)


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None
