"""Answers as files: JSON lines, Parquet, or records of tf.train.Example."""

import io
import json
import pathlib
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems
from pyarrow import parquet

Lines = Sequence[Mapping[str, Any]]
WRITING = ".writing"
"""Behind the name of a file before it is whole."""


def json_lines(lines: Lines) -> bytes:
    """A line for each answer."""
    texts = [json.dumps(line, ensure_ascii=False) + "\n" for line in lines]
    return "".join(texts).encode("utf-8", errors="replace")


def parquet_table(lines: Lines) -> bytes:
    """A row for each answer; `input` is JSON, for it may have any shape."""
    rows = [{**line, "input": json.dumps(line["input"], ensure_ascii=False)} for line in lines]
    content = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), content)
    return content.getvalue()


def tfrecords(lines: Lines) -> bytes:
    """A tf.train.Example for each answer, uncompressed; arrays have their shape beside them."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "answers"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for line in lines:
                writer.write(_example(line).SerializeToString())
        return path.read_bytes()


def _example(line: Mapping[str, Any]) -> tf.train.Example:
    features: dict[str, tf.train.Feature] = {}
    for name, value in line.items():
        if name == "input":
            value = json.dumps(value, ensure_ascii=False)
        array = np.array(value)
        if array.ndim:
            shape = tf.train.Int64List(value=array.shape)
            features[f"{name}/shape"] = tf.train.Feature(int64_list=shape)
        features[name] = _feature(array.reshape(-1))
    return tf.train.Example(features=tf.train.Features(feature=features))


def _feature(values: np.ndarray) -> tf.train.Feature:
    if values.dtype.kind in "iub":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values.tolist()))
    if values.dtype.kind == "f":
        return tf.train.Feature(float_list=tf.train.FloatList(value=values.tolist()))
    texts = [str(value).encode("utf-8", errors="replace") for value in values.tolist()]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))


FORMATS: dict[str, Callable[[Lines], bytes]] = {
    "jsonl": json_lines,
    "parquet": parquet_table,
    "tfrecord": tfrecords,
}
"""How answers are written, by the ending of their files."""


def write(path: str, content: bytes) -> None:
    """Writes a file that is there as a whole or not at all, on any file system that Beam knows."""
    # A worker that was taken for lost may still be writing the same one.
    part = f"{path}.{uuid.uuid4().hex}{WRITING}"
    with FileSystems.create(part) as stream:
        stream.write(content)
    FileSystems.rename([part], [path])
