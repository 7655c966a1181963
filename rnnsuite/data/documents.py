"""Text as it runs: the lines or the documents of text files, folders of them, and tables."""

import gzip
import lzma
import pathlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal

from rnnsuite.core.errors import UserError
from rnnsuite.core.text import one_line
from rnnsuite.data import tables
from rnnsuite.data.encodings import UTF_8, find_encoding, is_undecodable, known_encoding, text_lines
from rnnsuite.data.notes import Skips, say
from rnnsuite.data.source_config import TableConfig

Unit = Literal["line", "file"]
OPENERS = {".gz": gzip.open, ".xz": lzma.open}
"""How compressed files are opened, by their ending."""


def documents(
    place: pathlib.Path, config: TableConfig, column: str, unit: Unit, skips: Skips
) -> Iterator[dict[str, bytes | str]]:
    """The documents of a text file, of every text file in a folder, or of a table's rows.

    Line ends are line feeds. Blank lines are documents, too, where each line is one.

    Args:
        place: a file (.gz and .xz are opened), or a folder, whose files are read in the order of
            their names, folders in it too. A table is a .csv, .tsv, .jsonl or .parquet file.
        config: how texts and tables are written.
        column: of a table, that has the text.
        unit: what of a text file is a document: each line, or all of it.
        skips: told of texts that are not UTF-8, and rows without one.

    Yields:
        `text`, and `origin`, where it stands.

    Raises:
        UserError: for a file that cannot be read.
    """
    if place.is_dir():
        files = [path for path in sorted(place.rglob("*")) if path.is_file()]
        for file in files:
            if not any(part.startswith(".") for part in file.relative_to(place).parts):
                yield from documents(file, config, column, unit, skips)
    elif tables.is_table(place):
        yield from _rows(place, config, column, skips)
    else:
        yield from _texts(place, config.encoding, unit, skips)


def _rows(file: pathlib.Path, config: TableConfig, column: str, skips: Skips) -> Iterator[dict]:
    for line, row in tables.table(file, config, {"data.text": column}, skips):
        origin = f"{file}, line {line}"
        if isinstance(row[column], str):
            yield {"text": row[column].encode(), "origin": origin}
        else:
            skips(f"{origin}: no text.")


def _texts(file: pathlib.Path, encoding: str, unit: Unit, skips: Skips) -> Iterator[dict]:
    try:
        with OPENERS.get(file.suffix.lower(), open)(file, "rb") as stream:
            name = find_encoding(stream) if encoding == "auto" else known_encoding(encoding)
            if name not in UTF_8:
                say(f"{file} is read as {name} (data.encoding).")
            yield from _decoded(file, stream, name, unit, skips)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UserError(f"{file} cannot be read ({one_line(error)}).") from error


def _decoded(
    file: pathlib.Path, stream: BinaryIO, encoding: str, unit: Unit, skips: Skips
) -> Iterator[dict]:
    with text_lines(stream, encoding) as lines:
        numbered = enumerate(lines, 1) if unit == "line" else [(0, lines.read())]
        for number, text in numbered:
            origin = f"{file}, line {number}" if number else str(file)
            if is_undecodable(text):
                skips(f"{origin}: not UTF-8.")
                continue
            text = text.replace("\r\n", "\n")
            text = text.removesuffix("\n") if number else text
            yield {"text": text.encode(), "origin": origin}
