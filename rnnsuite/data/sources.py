"""Where records come from: `sample` (generated), `tfds:NAME`, or a path.

All of them give a `tf.data.Dataset` of records for one split; class labels are always names.
"""

import contextlib
import fcntl
import io
import itertools
import os
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from rnnsuite.core.cache import cache_folder
from rnnsuite.core.errors import NoSplit, UserError, nearest

NETWORK_SECONDS = 8.0
"""For which an answer of a host is waited for, of two hosts at most."""
FIRST = "RNNSUITE_SAMPLE_RECORDS"
"""Environment variable: so many records of every split of a sample at most, for tests."""


def is_built(source: str) -> bool:
    """True for a data set that a tensorflow-datasets builder makes, false for a path."""
    return source == "sample" or source.startswith("tfds:")


def prepare(builder: Any, quiet: bool = False) -> Any:
    """Generates or downloads a tensorflow-datasets builder's records. Raises UserError."""
    import tensorflow_datasets as tfds

    if not quiet:
        _check_network(builder)
    output = io.StringIO() if quiet else sys.stderr
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        tfds.display_progress_bar(not quiet)
        try:
            builder.download_and_prepare()
        except (OSError, ConnectionError) as error:
            raise UserError(
                f"Cannot prepare {builder.name} in {builder.data_dir}: {error}"
            ) from error
    return builder


def _check_network(builder: Any) -> None:
    """Raises UserError at once where a data set has to be downloaded and nothing can be."""
    if builder.data_path.exists() or urllib.request.getproxies():
        return
    own = urllib.parse.urlsplit(builder.info.homepage or "").hostname
    for host in filter(None, (own, "storage.googleapis.com")):
        try:
            socket.create_connection((host, 443), timeout=NETWORK_SECONDS).close()
        except OSError:
            continue
        return
    raise UserError(
        f"tfds:{builder.name} is not in {builder.data_dir} and cannot be downloaded: there is no "
        f"network here. Copy it there, or give the records as a path: --data PATH."
    )


def from_tfds(builder: Any, split: str) -> tf.data.Dataset:
    """One split of a prepared builder, or a slice such as `train[:90%]`.

    ClassLabel features become their names, Image features the bytes of their files.

    Raises:
        UserError: on a split that the builder does not have.
    """
    import tensorflow_datasets as tfds

    name = split.split("[")[0]
    if name not in builder.info.splits:
        raise UserError(
            f"{builder.name} has no split {name!r}.{nearest(name, builder.info.splits)}"
        )
    features = builder.info.features
    names = {
        key: tf.constant(feature.names)
        for key, feature in features.items()
        if isinstance(feature, tfds.features.ClassLabel) and feature.names
    }
    decoders = {
        key: tfds.decode.SkipDecoding()
        for key, feature in features.items()
        if isinstance(feature, tfds.features.Image)
    }

    def class_name(key, number):
        # An unlabelled record carries -1: its name is empty.
        return tf.where(number < 0, "", tf.gather(names[key], tf.maximum(number, 0)))

    def with_names(record):
        return {
            key: class_name(key, value) if key in names else value for key, value in record.items()
        }

    records = builder.as_dataset(split=split, shuffle_files=False, decoders=decoders)
    return records.map(with_names)


def tfds_builder(source: str) -> Any:
    """The builder of `tfds:NAME`. Raises UserError when tensorflow-datasets has none."""
    name = source.removeprefix("tfds:")
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name)
    except tfds.core.DatasetNotFoundError as error:
        raise UserError(f"tensorflow-datasets has no data set {name!r}.") from error


def _first(builder: Any, count: int) -> Any:
    """The builder, which generates the first records of every split."""
    generate = builder._generate_examples
    builder._generate_examples = lambda *split: itertools.islice(generate(*split), count)
    return builder


def _generated(sample: Any) -> Any:
    """The builder of the generated data set, prepared by one process at a time."""
    folder = cache_folder()
    count = os.environ.get(FIRST)
    if count:
        folder /= f"first-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{sample.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        builder = sample(data_dir=folder)
        return prepare(_first(builder, int(count)) if count else builder, quiet=True)


def built(
    source: str, sample: Any, splits: Mapping[str, str], fields: Iterable[str]
) -> tuple[Any, Callable[[str], tf.data.Dataset], dict[str, str]]:
    """Prepares `sample` or `tfds:NAME`.

    Args:
        source: which of them.
        sample: the builder class of the generated data set.
        splits: other names or slices for splits.
        fields: names that every record must have.

    Returns:
        The builder, `read(split)` to its records, and the splits by name.

    Raises:
        UserError: for no such data set, or one that lacks a field.
    """
    builder = _generated(sample) if source == "sample" else prepare(tfds_builder(source))
    names = {**{name: name for name in builder.info.splits}, **splits}

    def read(split):
        if split not in names:
            raise NoSplit(f"{source} has no {split} split; it has {', '.join(sorted(names))}.")
        records = from_tfds(builder, names[split])
        known: Any = records.element_spec
        for field in fields:
            if field not in known:
                fields_of_source = ", ".join(known)
                raise UserError(f"{source} has no field {field!r}; it has {fields_of_source}.")
        return records

    return builder, read, names


def from_records(records: Sequence[Mapping[str, Any]]) -> tf.data.Dataset:
    """A data set of records in memory, all with the same keys."""
    columns: Any = {key: [record[key] for record in records] for key in records[0]}
    return tf.data.Dataset.from_tensor_slices(columns)
