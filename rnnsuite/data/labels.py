"""Classes: as folders, as names, as numbers."""

import pathlib
from collections.abc import Callable, Iterable, Sequence

import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text


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
