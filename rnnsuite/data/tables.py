"""CSV, TSV and JSONL files, with bad lines named and not in the way of the others."""

import csv
import json
import logging
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnnsuite.core.errors import UserError

SUFFIXES = (".csv", ".tsv", ".jsonl")
log = logging.getLogger(__name__)


class Skips:
    """What to do with a bad record: raise UserError, or count it and go on.

    Args:
        on_error: "error" or "skip".
    """

    def __init__(self, on_error: str):
        self.on_error = on_error
        self.count = 0

    def __call__(self, message: str) -> None:
        if self.on_error == "error":
            raise UserError(
                f"{message} Mend it, or leave such records out with --set data.on_error=skip."
            )
        self.count += 1
        log.debug("skipped: %s", message)

    def report(self, origin: Any) -> None:
        """Says how many were left out."""
        if self.count:
            log.warning("%s: %d bad records skipped.", origin, self.count)


def table(
    path: pathlib.Path, columns: Sequence[str], skips: Skips
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a .csv, .tsv or .jsonl file.

    Args:
        path: the file.
        columns: names of the columns of a CSV or TSV without a header line.
        skips: told of lines that are not UTF-8, no JSON object, or have too many fields.

    Yields:
        Line number and row, by column name.

    Raises:
        UserError: for an empty file.
    """
    content = path.read_bytes()
    if not content.strip():
        raise UserError(f"{path} is empty.")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if path.suffix == ".jsonl":
        rows = _json_rows(path, content.split(b"\n"), skips)
    else:
        rows = _table_rows(path, content.splitlines(keepends=True), columns, skips)
    for line, row in rows:
        if any(is_undecodable(value) for value in row.values()):
            skips(f"{path}, line {line}: not UTF-8.")
        else:
            yield line, row


def _json_rows(
    path: pathlib.Path, lines: Iterable[bytes], skips: Skips
) -> Iterator[tuple[int, dict]]:
    for line, content in enumerate(lines, 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content.decode("utf-8", errors="surrogateescape"))
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield line, row
        else:
            skips(f"{path}, line {line}: no JSON object.")


def _table_rows(
    path: pathlib.Path, lines: Iterable[bytes], columns: Sequence[str], skips: Skips
) -> Iterator[tuple[int, dict]]:
    reader = delimited(lines, path.suffix, columns, missing="")
    for row in reader:
        if "" in row:
            width = len(reader.fieldnames or ())
            skips(f"{path}, line {reader.line_num}: more fields than the {width} columns.")
        else:
            yield reader.line_num, row


def delimited(
    lines: Iterable[bytes], suffix: str, columns: Sequence[str] = (), missing: str | None = None
) -> csv.DictReader:
    """A reader of CSV, or for the suffix .tsv of TSV, whose sets are written without quoting.

    Undecodable bytes become surrogates, so that one bad line does not lose the others; see
    `is_undecodable`.

    Args:
        lines: of the file.
        suffix: ".csv" or ".tsv".
        columns: their names, where the file has no header line.
        missing: stands for fields that a row lacks. Those that are too many stand under "".

    Returns:
        The reader.
    """
    csv.field_size_limit(2**31 - 1)
    texts = (
        line.decode("utf-8", errors="surrogateescape").replace("\0", "\ufffd") for line in lines
    )
    tabs = suffix == ".tsv"
    return csv.DictReader(
        texts,
        fieldnames=list(columns) or None,
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        restkey="",
        restval=missing,
    )


def is_undecodable(value: Any) -> bool:
    """True for a text that holds bytes that were not UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in str(value))
