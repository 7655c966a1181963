"""Requests in files of any size, cut into chunks that are answered by themselves."""

import contextlib
import dataclasses
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from google.protobuf.message import DecodeError
from pyarrow import ArrowException, ArrowInvalid, parquet

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Array, Field, File, record_from_json
from rnnsuite.data.request_files import Row, json_row

LINES = (".jsonl", ".jsonl.gz")
PARQUET = (".parquet",)
TFRECORD = (".tfrecord", ".tfrecords", ".tfrecord.gz")
SUFFIXES = (*LINES, *PARQUET, *TFRECORD)
SHAPE = "/shape"
"""Behind a feature's name in a tf.train.Example: the feature with the shape of its numbers."""
DAMAGED = (ArrowInvalid, EOFError, gzip.BadGzipFile, tf.errors.DataLossError, zlib.error)
"""Errors of what a file holds. Those of storage are not among them: runners try a chunk again."""
Names = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Chunk:
    """A part of an input.

    Args:
        number: from 0 on, over all inputs.
        path: of the file.
        length: bytes of the file.
        begin, end: of JSON lines, the bytes that its lines begin in; of Parquet, its row groups; of
            other files, 0 and infinity: the whole.
    """

    number: int
    path: str
    length: int
    begin: float
    end: float


def plan(patterns: list[str], size: int) -> list[Chunk]:
    """The chunks of all files that patterns name.

    Args:
        patterns: paths with wildcards, on any file system that Beam knows.
        size: bytes of a chunk of JSON lines.

    Returns:
        At least one chunk, in the order of paths.

    Raises:
        UserError: where there is no file, or one of another kind.
    """
    sizes = {
        entry.path: entry.size_in_bytes
        for match in FileSystems.match(patterns)
        for entry in match.metadata_list
    }
    if not sizes:
        raise UserError(f"There is no {' and no '.join(patterns)}.")
    strange = [path for path in sizes if not path.lower().endswith(SUFFIXES)]
    if strange:
        raise UserError(f"{strange[0]}: give files that end in {', '.join(SUFFIXES)}.")
    parts = [
        (path, sizes[path], begin, end)
        for path in sorted(sizes)
        for begin, end in _parts(path, sizes[path], size)
    ]
    return [Chunk(number, *part) for number, part in enumerate(parts)]


def _parts(path: str, length: int, size: int) -> list[tuple[float, float]]:
    if path.lower().endswith(PARQUET):
        try:
            with FileSystems.open(path) as stream:
                groups = parquet.ParquetFile(stream).num_row_groups
        except (ArrowException, OSError) as error:
            raise UserError(f"{path}: {error}.") from error
        return [(group, group + 1) for group in range(groups)]
    if path.lower().endswith(".jsonl"):
        return [(begin, begin + size) for begin in range(0, max(length, 1), size)]
    return [(0, math.inf)]


def read(chunk: Chunk, fields: Mapping[str, Field], names: Names) -> Iterator[Row]:
    """Every row of a chunk, good or bad; its number is the byte, or the row, that it begins at.

    Args:
        chunk: which.
        fields: what a request holds.
        names: the key, column or feature of each field.

    Yields:
        A row for each request, and one with a fault where the file is damaged.
    """
    path = chunk.path.lower()
    if path.endswith(LINES):
        rows = _lines(chunk, fields, names)
    elif path.endswith(PARQUET):
        rows = _groups(chunk, fields, names)
    else:
        rows = _examples(chunk, fields, names)
    number = int(chunk.begin)
    try:
        for row in rows:
            number = row.number
            yield row
    except DAMAGED as error:
        yield Row(number, None, None, f"from here on the file cannot be read: {error}")


def _lines(chunk: Chunk, fields: Mapping[str, Field], names: Names) -> Iterator[Row]:
    # Beam's own reader takes a .gz file that was cut short for one that ends there.
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(
            FileSystems.open(chunk.path, compression_type=CompressionTypes.UNCOMPRESSED)
        )
        if chunk.path.lower().endswith(".gz"):
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        place = int(chunk.begin)
        if place:
            # The line that goes on at the first byte is the chunk's before.
            stream.seek(place - 1)
            place += len(stream.readline()) - 1
        while place < chunk.end:
            line = stream.readline()
            if not line:
                return
            if line.strip():
                yield _line(place, line, fields, names)
            place += len(line)


def _line(place: int, line: bytes, fields: Mapping[str, Field], names: Names) -> Row:
    try:
        return json_row(place, line.decode("utf-8"), fields, names)
    except UnicodeDecodeError:
        return Row(place, None, None, "not UTF-8")


def _groups(chunk: Chunk, fields: Mapping[str, Field], names: Names) -> Iterator[Row]:
    with FileSystems.open(chunk.path) as stream:
        file = parquet.ParquetFile(stream)
        group = int(chunk.begin)
        first = sum(file.metadata.row_group(before).num_rows for before in range(group))
        columns = [name for name in names.values() if name in file.schema_arrow.names]
        rows = file.read_row_group(group, columns=columns).to_pylist()
    for place, row in enumerate(rows, first):
        yield _row(place, row, fields, names)


def _examples(chunk: Chunk, fields: Mapping[str, Field], names: Names) -> Iterator[Row]:
    """Of records that are tf.train.Example, whose check sums are compared."""
    kind = "GZIP" if chunk.path.lower().endswith(".gz") else ""
    records = tf.data.TFRecordDataset(chunk.path, kind).as_numpy_iterator()
    for place, content in enumerate(records):
        try:
            example = tf.train.Example.FromString(content)
        except DecodeError:
            yield Row(place, None, None, "no tf.train.Example")
            continue
        features = example.features.feature
        row = {
            name: _feature(features, name, field)
            for name, field in zip(names.values(), fields.values(), strict=True)
            if name in features
        }
        yield _row(place, row, fields, names)


def _feature(features: Mapping[str, Any], name: str, field: Field) -> Any:
    """A feature's value: bytes or a text of one string, numbers in their shape."""
    feature = features[name]
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    if kind == "bytes_list":
        values = [value if isinstance(field, File) else _text(value) for value in values]
    if name + SHAPE in features and kind != "bytes_list":
        shape = list(features[name + SHAPE].int64_list.value)
        fits = all(size >= 0 for size in shape) and math.prod(shape) == len(values)
        return np.array(values).reshape(shape).tolist() if fits else None
    is_one = isinstance(field, Array) and field.shape == ()
    return values[0] if len(values) == 1 and (is_one or not isinstance(field, Array)) else values


def _text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _row(place: int, values: Mapping[str, Any], fields: Mapping[str, Field], names: Names) -> Row:
    """A row of values by column; bytes of a file are taken as they are."""
    by_name = {name: values[column] for name, column in names.items() if column in values}
    contents = {
        name: value
        for name, value in by_name.items()
        if isinstance(fields[name], File) and isinstance(value, bytes)
    }
    others = {name: field for name, field in fields.items() if name not in contents}
    try:
        rest = {name: value for name, value in by_name.items() if name in others}
        record = {**record_from_json(others, rest), **contents} if others else contents
    except UserError as error:
        return Row(place, None, None, str(error).removesuffix("."))
    shown = {name: f"{len(value)} bytes" for name, value in contents.items()}
    shown = {**rest, **shown}
    return Row(place, next(iter(shown.values())) if len(shown) == 1 else shown, record)
