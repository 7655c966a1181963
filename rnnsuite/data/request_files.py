"""Files of many requests, read row by row: .jsonl, .csv, .tsv and .txt."""

import dataclasses
import io
import json
import logging
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Field, Record, optional, record_from_cells, record_from_json
from rnnsuite.data.encodings import UTF_8, find_encoding, is_undecodable, text_lines
from rnnsuite.data.notes import say
from rnnsuite.data.tables import Cells, cells, is_header

SUFFIXES = (".jsonl", ".txt", ".csv", ".tsv")


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a file of requests.

    Args:
        number: of its first line in the file, counted from 1.
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
        stream: the file, opened; read in parts, so `stream.tell()` says about how far.
        path: its name, whose suffix says how it is written.
        fields: what a request holds.
        columns: the column or key of each field, where it is not the field's name.

    Yields:
        A row for each request.

    Raises:
        UserError: where the file as a whole is unusable.
    """
    names = {name: columns.get(name, name) for name in fields}
    encoding = find_encoding(stream)
    if encoding not in UTF_8:
        say(f"{path} is read as {encoding}.")
    readers = {".jsonl": _json_rows, ".txt": _text_rows}
    with text_lines(stream, encoding) as lines:
        if path.suffix in readers:
            rows = readers[path.suffix](lines, fields, names)
        else:
            rows = _table_rows(lines, fields, names, path)
        for number, (shown, record, fault) in rows:
            yield Row(number, shown, record, fault)


Parts = tuple[Any, Record | None, str]
Numbered = Iterator[tuple[int, Parts]]
NOT_UTF_8: Parts = (None, None, "not UTF-8")


def json_row(number: int, text: str, fields: Mapping[str, Field], names: Mapping[str, str]) -> Row:
    """The row that one line of JSON is.

    Args:
        number: of the row.
        text: the line.
        fields: what a request holds.
        names: the key of each field.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Row(number, None, None, "not JSON")
    return Row(number, *_json_parts(fields, names, value))


def _text_rows(
    lines: Iterable[str], fields: Mapping[str, Field], names: Mapping[str, str]
) -> Numbered:
    if len(fields) != 1:
        raise UserError(
            f"A .txt file holds one value a line; give {', '.join(fields)} in .jsonl or .csv."
        )
    (name,) = fields
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if is_undecodable(text):
            yield number, NOT_UTF_8
        else:
            yield number, _checked_cells(fields, {name: text}, text)


def _json_rows(
    lines: Iterable[str], fields: Mapping[str, Field], names: Mapping[str, str]
) -> Numbered:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text == "":
            continue
        if is_undecodable(text):
            yield number, NOT_UTF_8
            continue
        row = json_row(number, text, fields, names)
        yield number, (row.shown, row.record, row.fault)


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
    lines: io.TextIOWrapper,
    fields: Mapping[str, Field],
    names: Mapping[str, str],
    path: pathlib.Path,
) -> Numbered:
    reader = cells(lines, path, wanted=names.values())
    header = list(reader.fieldnames or ())
    if not header:
        return
    left_out = [name for name in optional(fields) if names[name] == name and name not in header]
    names = {name: column for name, column in names.items() if name not in left_out}
    for name, column in names.items():
        if column not in header:
            columns = ", ".join(reader.written)
            raise UserError(
                f"{path} has no column {column!r}; it has {columns}. Name one with --field "
                f"{name}=COLUMN."
            )
    first = reader.line_num + 1
    for row in reader:
        if is_header(list(row.values()), reader.written):
            say(f"{path}: rows that repeat the header are left out.", logging.WARNING)
        else:
            yield first, _cells(reader, row, fields, names)
        first = reader.line_num + 1


def _cells(
    reader: Cells, row: Mapping[str, Any], fields: Mapping[str, Field], names: Mapping[str, str]
) -> Parts:
    position = {name: (reader.fieldnames or []).index(column) for name, column in names.items()}
    chosen = {name: row[column] for name, column in names.items()}
    if any(is_undecodable(cell) for cell in chosen.values()):
        return NOT_UTF_8
    missing = next((name for name in names if position[name] >= _width(row)), None)
    if missing is not None:
        return None, None, f"no column {names[missing]!r}"
    shown = chosen if len(chosen) > 1 else next(iter(chosen.values()))
    return _checked_cells(fields, chosen, shown)


def _width(row: Mapping[str, Any]) -> int:
    """Cells that a row really has: the reader fills short rows up with None."""
    return sum(value is not None for value in row.values())


def _checked_cells(fields: Mapping[str, Field], cells: Mapping[str, str], shown: Any) -> Parts:
    try:
        return shown, record_from_cells(fields, cells), ""
    except UserError as error:
        return shown, None, str(error)
