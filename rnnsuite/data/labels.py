"""Classes: as folders, as names, as numbers."""

import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text
from rnnsuite.data.notes import Skips


def class_folders(
    folder: pathlib.Path, suffixes: Sequence[str], ignored: Iterable[str] = ()
) -> list[tuple[pathlib.Path, str]]:
    """Every file of `folder/<class>/` with one of the suffixes, and its class, in sorted order.

    Args:
        folder: the folder of class folders.
        suffixes: endings of the files that count, in small letters.
        ignored: folders that are no classes.

    Returns:
        (file, class) pairs.

    Raises:
        UserError: where there is no file, or a class without any.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    skipped = set(ignored)
    pairs: list[tuple[pathlib.Path, str]] = []
    for entry in entries:
        if not entry.is_dir() or entry.name in skipped or entry.name.startswith("."):
            continue
        files = [file for file in sorted(entry.iterdir()) if file.suffix.lower() in suffixes]
        if not files:
            raise UserError(
                f"The class folder {entry} has no {', '.join(suffixes)} files. Fill it, or move "
                f"it away."
            )
        pairs += [(file, entry.name) for file in files]
    if not pairs:
        raise UserError(
            f"{folder} has no folders of classes with {', '.join(suffixes)} files in them."
        )
    return pairs


def class_names(records: tf.data.Dataset, origin: str) -> tuple[str, ...]:
    """The sorted names in `record["label"]`.

    Args:
        records: the training records.
        origin: where they come from, for the error.

    Returns:
        At least two names.

    Raises:
        UserError: for one class only, or a record without a label.
    """
    labels = records.map(lambda record: record["label"]).as_numpy_iterator()
    names = {as_text(label) for label in labels}
    if "" in names:
        raise UserError(f"{origin}: the training split has records without a label.")
    if len(names) < 2:
        known = ", ".join(names) or "no records"
        raise UserError(f"{origin}: the training split has one class only ({known}).")
    return tuple(sorted(names))


def known(
    records: tf.data.Dataset, label: str, names: Sequence[str], skips: Skips
) -> tf.data.Dataset:
    """Records whose class is one of those that train has.

    Records of files are looked at, with their `origin`; a class of others fails when it is met.

    Args:
        records: of another split.
        label: the name of their class.
        names: of train's classes.
        skips: told of every other record.

    Returns:
        The records without those that were left out.
    """
    spec: Any = records.element_spec
    if "origin" not in spec:
        return records
    others = set()
    for record in records.as_numpy_iterator():
        name = as_text(record[label])
        if name not in names:
            skips(f"{as_text(record['origin'])}: label {name!r} is not in train.")
            others.add(name)
    if not others:
        return records
    left_out = tf.constant(sorted(others))
    return records.filter(lambda record: tf.reduce_all(record[label] != left_out))


def class_numbers(names: Sequence[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from class names to their indices; an unknown name fails in the graph."""
    keys = tf.constant(names)
    initializer = tf.lookup.KeyValueTensorInitializer(keys, tf.range(len(names)))
    table = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def numbers(labels):
        indices = table.lookup(labels)
        check = tf.debugging.assert_non_negative(
            indices, "a label that the training split does not have"
        )
        with tf.control_dependencies([check] if check is not None else []):
            return tf.identity(indices)

    return numbers
