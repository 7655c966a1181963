"""Splits of a source: found by their usual names, or held out by a hash."""

import pathlib
from collections.abc import Callable, Iterable

import tensorflow as tf

from rnnsuite.core.errors import UserError

ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test",),
}
WHOLE = "all"
"""The one split of a source that has no splits of its own."""


def path_splits(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """The splits of a path: `train/`, `dev.tsv`, ... by their usual names; only "all" without any.

    Raises:
        UserError: when `root` does not exist.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    entries = [] if root.is_file() else sorted(root.iterdir())
    stems = {entry.name.split(".")[0]: entry for entry in entries if not entry.name.startswith(".")}
    places = {
        split: stems[name] for split, names in ALIASES.items() for name in names if name in stems
    }
    return places or {WHOLE: root}


def split_name(name: str) -> str:
    """A split by its usual name, such as validation for val2017; restval counts as train."""
    if name == "restval":
        return "train"
    stem = name.rstrip("0123456789")
    return next((split for split, names in ALIASES.items() if stem in names), name)


def with_validation(
    read: Callable[[str], tf.data.Dataset],
    names: Iterable[str],
    split: str,
    key: str,
    fraction: float,
) -> tf.data.Dataset:
    """`read(split)`, with a validation split held out of train where the source has none.

    A source of one split, "all", is divided into train and validation.

    Args:
        read: gives the records of a split that the source has.
        names: the splits that it has.
        split: the one wanted.
        key: the value of a record by whose hash it is held out.
        fraction: how many of train are held out.

    Returns:
        The records of `split`.

    Raises:
        UserError: on a split that does not exist.
    """
    names = set(names)
    if split in names and (split != "train" or "validation" in names):
        return read(split)
    whole = WHOLE if WHOLE in names else "train"
    if split not in ("train", "validation") or whole not in names:
        raise UserError(f"The source has no {split} split; it has {', '.join(sorted(names))}.")
    return hold_out(read(whole), key, fraction, held_out=split == "validation")


def hold_out(
    records: tf.data.Dataset, key: str, fraction: float, held_out: bool
) -> tf.data.Dataset:
    """The records that are held out, or the others.

    They are chosen by a hash of `record[key]`, which needs no second pass and never changes, and
    keeps two equal values on the same side.

    Args:
        records: of one split.
        key: the value that is hashed.
        fraction: how many are held out.
        held_out: whether those are wanted, or the others.

    Returns:
        A part of the records.
    """

    def chosen(record):
        bucket = tf.strings.to_hash_bucket_fast(record[key], 10_000)
        return (bucket < round(fraction * 10_000)) == held_out

    return records.filter(chosen)
