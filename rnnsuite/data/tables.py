"""CSV, TSV, JSONL and Parquet files, with bad rows named and not in the way of the others."""

import contextlib
import csv
import io
import itertools
import json
import logging
import math
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from rnnsuite.core.errors import UserError
from rnnsuite.core.text import one_line
from rnnsuite.data.encodings import (
    HEAD_BYTES,
    UTF_8,
    find_delimiter,
    find_encoding,
    is_undecodable,
    known_encoding,
    text_lines,
)
from rnnsuite.data.notes import Skips, say
from rnnsuite.data.source_config import TableConfig

MISSING = ("", "nan", "na", "null", "none", "n/a")
"""Cells without a number, whatever their case."""
SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
Rows = Iterator[tuple[int, dict[str, Any]]]


def is_table(path: pathlib.Path) -> bool:
    """Whether a path's ending is a table's."""
    return path.suffix.lower() in SUFFIXES


def table(path: pathlib.Path, config: TableConfig, keys: Mapping[str, str], skips: Skips) -> Rows:
    """The rows of a table.

    Names of columns are compared without regard to case. A row that is the header again is no
    record.

    Args:
        path: the file.
        config: how it is written.
        keys: the column of each value that a row must have, by the configuration key that names
            it, such as {"data.text": "text"}.
        skips: told of rows that are not UTF-8, no JSON object, or have too many cells.

    Yields:
        The number of the row's first line, and the row by column names as `keys` has them.

    Raises:
        UserError: for an empty or unreadable file, or a missing column.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, and a table is expected: name the file in it.")
    if path.suffix.lower() == ".parquet":
        yield from _parquet_rows(path, keys)
        return
    with open(path, "rb") as stream, _lines(path, stream, config.encoding) as lines:
        if path.suffix.lower() == ".jsonl":
            rows = _json_rows(path, lines, keys, skips)
        else:
            rows = _cell_rows(path, lines, config, keys, skips)
        try:
            for line, row in rows:
                if any(is_undecodable(value) for value in row.values()):
                    skips(f"{path}, line {line}: not UTF-8.")
                else:
                    yield line, row
        except csv.Error as error:
            raise UserError(f"{path} is no table ({error}).") from error


@contextlib.contextmanager
def _lines(path: pathlib.Path, stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    head = stream.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES and not head.strip():
        raise UserError(f"{path} is empty.")
    stream.seek(0)
    found = find_encoding(stream) if encoding == "auto" else known_encoding(encoding)
    if found not in UTF_8:
        say(f"{path} is read as {found} (data.encoding).")
    with text_lines(stream, found) as lines:
        yield lines


def _json_rows(
    path: pathlib.Path, lines: Iterable[str], keys: Mapping[str, str], skips: Skips
) -> Rows:
    for line, content in enumerate(lines, 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            skips(f"{path}, line {line}: no JSON object.")
            continue
        row = renamed(row, keys.values())
        missing = next((item for item in keys.items() if item[1] not in row), None)
        if missing:
            fields = ", ".join(row)
            skips(f"{path}, line {line}: no {missing[1]!r} ({missing[0]}); it has {fields}.")
        else:
            yield line, row


def _cell_rows(
    path: pathlib.Path,
    lines: io.TextIOWrapper,
    config: TableConfig,
    keys: Mapping[str, str],
    skips: Skips,
) -> Rows:
    reader = cells(lines, path, config.delimiter, config.columns, keys.values(), missing="")
    header = list(reader.fieldnames or ())
    check_columns(path, header, keys)
    first = reader.line_num + 1
    for row in reader:
        line = first
        first = reader.line_num + 1
        values = list(row.values())
        if "" in row:
            skips(f"{path}, line {line}: more cells than the {len(header)} columns.")
        elif is_header(values, reader.written):
            skips.leave_out(f"{path}, line {line}: the header again.")
            say(f"{path}: rows that repeat the header are left out.", logging.WARNING)
        else:
            yield line, row


def header(path: pathlib.Path, stream: BinaryIO, config: TableConfig) -> list[str]:
    """The names of a CSV or TSV file's columns, as it has them. stream: the file, opened."""
    with _lines(path, stream, config.encoding) as lines:
        return cells(lines, path, config.delimiter, config.columns).written


def is_header(values: Sequence[Any], header: Sequence[str]) -> bool:
    """Whether a row repeats the header line."""
    return [str(value).strip() for value in values] == [name.strip() for name in header]


def number(row: Mapping[str, Any], name: str) -> float:
    """A cell's number, NaN where it is missing. Raises ValueError for what is no finite number."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return math.nan
    try:
        parsed = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is {str(value)[:40]!r}, which is no number") from None
    if math.isinf(parsed):
        raise ValueError(f"{name} is infinite")
    return parsed


def check_columns(path: pathlib.Path, header: Sequence[str], keys: Mapping[str, str]) -> None:
    """Raises UserError where a column is missing, with the key that names it."""
    for key, name in keys.items():
        if name not in header:
            raise UserError(
                f"{path} has no column {name!r}; it has {', '.join(header)}. Name it with --set "
                f"{key}=COLUMN, or all of them with data.columns where there is no header line."
            )


def _parquet_rows(path: pathlib.Path, keys: Mapping[str, str]) -> Rows:
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        check_columns(
            path, list(renamed(dict.fromkeys(file.schema_arrow.names), keys.values())), keys
        )
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, renamed(row, keys.values())
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path} is damaged, it is no Parquet file ({one_line(error)}).") from error


def renamed(row: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """A row whose names are those wanted, where they differ in case or spaces around them alone."""
    names = {name.strip().casefold(): name for name in wanted}
    exact = set(names.values()) & row.keys()
    result = {}
    for key, value in row.items():
        name = names.get(str(key).strip().casefold(), key)
        result[key if name in exact else name] = value
    return result


class Cells(csv.DictReader):
    """Rows of cells by column name. written: the header as the file has it."""

    written: list[str]


def cells(
    lines: io.TextIOWrapper,
    path: pathlib.Path,
    delimiter: str = "auto",
    columns: Sequence[str] = (),
    wanted: Iterable[str] = (),
    missing: str | None = None,
) -> Cells:
    """A reader of CSV, or for the suffix .tsv of TSV, whose cells are written without quoting.

    Args:
        lines: of the file.
        path: its name.
        delimiter: of a CSV file, or "auto".
        columns: their names, where the file has no header line.
        wanted: column names that matter, matched without regard to case.
        missing: stands for cells that a row lacks. Those that are too many stand under "".

    Returns:
        The reader.

    Raises:
        UserError: for a delimiter that is not one character.
    """
    csv.field_size_limit(2**31 - 1)
    tabs = path.suffix.lower() == ".tsv"
    if delimiter != "auto" and len(delimiter) != 1:
        raise UserError(f"data.delimiter: {delimiter!r} given; it must be one character, or auto.")
    head = ""
    if delimiter == "auto" and not tabs:
        head = lines.read(HEAD_BYTES)
        head += lines.readline()
        delimiter = find_delimiter(head, columns or list(wanted))
        if delimiter != ",":
            say(f"{path} is read with the delimiter {delimiter!r} (data.delimiter).")
    begun = io.StringIO(head, newline="")
    texts = (line.replace("\0", "\ufffd") for line in itertools.chain(begun, lines))
    reader = Cells(
        texts,
        fieldnames=list(columns) or None,
        delimiter="\t" if tabs else delimiter,
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        restkey="",
        restval=missing,
    )
    reader.written = list(reader.fieldnames or ())
    reader.fieldnames = list(renamed(dict.fromkeys(reader.written), wanted))
    return reader
