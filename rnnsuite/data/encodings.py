"""How a text file is written: its encoding and its delimiter, found by looking."""

import codecs
import contextlib
import csv
import io
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

from rnnsuite.core.errors import UserError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks, those first that another one begins with."""
DELIMITERS = ",;\t|"
HEAD_BYTES = 65_536
HEAD_ROWS = 20
UTF_8 = ("utf-8", "utf-8-sig")


def find_encoding(stream: BinaryIO) -> str:
    """The encoding of a stream that can be rewound: by its mark, or by what its lines can be.

    A file with any line of UTF-8 beyond ASCII is UTF-8: lines of it that are not are damaged.
    Where no such line is UTF-8 and all of them are Windows-1252, it is that.

    Args:
        stream: read from its beginning, and left there.

    Returns:
        utf-8, utf-8-sig, utf-16, utf-16-le, utf-16-be, utf-32 or cp1252.
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    half = len(head) // 2
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if half and zeros.count(0) > 0.4 * half:
            return name
    found = _of_lines(stream)
    stream.seek(0)
    return found


def _of_lines(lines: Iterable[bytes]) -> str:
    found = "utf-8"
    for line in lines:
        if line.isascii():
            continue
        if _is(line, "utf-8") or not _is(line, "cp1252"):
            return "utf-8"
        found = "cp1252"
    return found


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def known_encoding(name: str) -> str:
    """The encoding of that name. Raises UserError for one that Python does not know."""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise UserError(
            f"data.encoding: there is no encoding {name!r}; give one such as utf-8 or cp1252."
        ) from error


@contextlib.contextmanager
def text_lines(stream: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """A stream's lines as text, with the ends that they have; the stream stays open.

    Undecodable bytes of UTF-8 become surrogates, so that one bad line does not lose the others;
    those of another encoding become U+FFFD.

    Args:
        stream: at its beginning.
        encoding: of it.

    Yields:
        The lines.
    """
    errors = "surrogateescape" if encoding in UTF_8 else "replace"
    lines = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    try:
        yield lines
    finally:
        with contextlib.suppress(ValueError):  # closed by whoever opened it
            lines.detach()


def is_undecodable(value: object) -> bool:
    """True for a text that holds bytes that were not UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in str(value))


def find_delimiter(head: str, wanted: Collection[str] = ()) -> str:
    """The delimiter of a CSV file: that which finds the wanted columns and rows of equal width.

    Args:
        head: the beginning of the file.
        wanted: names that the header should have.

    Returns:
        A comma, semicolon, tab or vertical bar; the comma where nothing speaks for another.
    """
    names = {name.strip().casefold() for name in wanted}
    lines = head.splitlines(keepends=True)[:HEAD_ROWS]

    def rank(delimiter: str) -> tuple[int, float]:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        if not rows or len(rows[0]) < 2:
            return 0, 0.0
        header = {cell.strip().casefold() for cell in rows[0]}
        even = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        return len(header & names), even

    return max(DELIMITERS, key=rank)
