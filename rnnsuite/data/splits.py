"""Splits of a source: found by their usual names, or held out by a hash."""

import pathlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.sources import from_records

Item = TypeVar("Item")
BUCKETS = 10_000
"""Of hashes, of which some are held out."""

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
    read: Callable[[str], Any],
    names: Iterable[str],
    split: str,
    key: str,
    fraction: float,
    label: str | None = None,
) -> tf.data.Dataset:
    """`read(split)`, with a validation split held out of train where the source has none.

    A source of one split, "all", is divided into train and validation.

    Args:
        read: gives the records of a split that the source has: a data set, or a list.
        names: the splits that it has.
        split: the one wanted.
        key: the value of a record by whose hash it is held out.
        fraction: how many of train are held out.
        label: the value of a record with its class, of which a list has some on either side.

    Returns:
        The records of `split`.

    Raises:
        NoSplit: on a split that does not exist.
        UserError: where nothing can be held out.
    """
    names = set(names)
    if split in names and (split != "train" or "validation" in names):
        return _data_set(read(split))
    whole = WHOLE if WHOLE in names else "train"
    if split not in ("train", "validation") or whole not in names:
        raise NoSplit(f"The source has no {split} split; it has {', '.join(sorted(names))}.")
    records = read(whole)
    if isinstance(records, tf.data.Dataset):
        return hold_out(records, key, fraction, held_out=split == "validation")
    values = [record[key] for record in records]
    classes = [record[label] for record in records] if label else None
    buckets = tf.strings.to_hash_bucket_fast(tf.constant(values), BUCKETS).numpy().tolist()
    is_held_out = held_out(values, buckets, fraction, classes)
    wanted = split == "validation"
    part = [each for each, held in zip(records, is_held_out, strict=True) if held == wanted]
    if not part:
        raise UserError(
            f"data.validation={fraction:g} leaves the {split} split of {len(records)} records "
            f"empty. Take another share, or give a validation split of its own."
        )
    return _data_set(part)


def _data_set(records: Any) -> tf.data.Dataset:
    return records if isinstance(records, tf.data.Dataset) else from_records(records)


def hold_out(
    records: tf.data.Dataset, key: str, fraction: float, held_out: bool
) -> tf.data.Dataset:
    """The records of a data set that are held out, or the others.

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
        bucket = tf.strings.to_hash_bucket_fast(record[key], BUCKETS)
        return (bucket < round(fraction * BUCKETS)) == held_out

    return records.filter(chosen)


def held_out(
    values: Sequence[Any],
    buckets: Sequence[int],
    fraction: float,
    classes: Sequence[Any] | None = None,
) -> list[bool]:
    """Which of several records are held out, by the buckets that they hash to.

    Of small sets a hash may choose none, or all: then the nearest ones are moved, so that either
    side has a record, and one of every class that has two values or more; a class of one value
    stays.

    Args:
        values: what was hashed, one a record; equal ones stay together.
        buckets: of the values, from 0 to below BUCKETS.
        fraction: how many are held out; 0 for none.
        classes: of the records.

    Returns:
        A boolean for each record.
    """
    order = dict(zip(values, buckets, strict=True))
    held = {value: bucket < round(fraction * BUCKETS) for value, bucket in order.items()}
    members: dict[Any, set] = {}
    for value, name in zip(values, classes or [None] * len(values), strict=True):
        members.setdefault(name, set()).add(value)
    for group in members.values() if fraction else ():
        ranked = sorted(group, key=lambda value: (order[value], value))
        if len(ranked) < 2:
            if classes:  # of one value, train has the class
                held[ranked[0]] = False
            continue
        if not held[ranked[0]]:
            held[ranked[0]] = True
        elif held[ranked[-1]]:
            held[ranked[-1]] = False
    return [held[value] for value in values]


def divided(
    by_split: Mapping[str, Sequence[Item]],
    fraction: float,
    name: Callable[[Item], str],
    label: Callable[[Item], str] | None = None,
) -> dict[str, list[Item]]:
    """The splits of a list, with a validation split held out of train, by a hash, where there is
    none.

    Args:
        by_split: items by the splits that the source has; "all" counts as train.
        fraction: how many of train are held out.
        name: of an item, which is hashed.
        label: of an item: its class, of which some are on either side.

    Returns:
        Items by split.
    """
    splits = {split: list(items) for split, items in by_split.items()}
    whole = next((split for split in ("train", WHOLE) if split in splits), None)
    if "validation" in splits or whole is None:
        return splits
    items = splits[whole]
    names = [name(item) for item in items]
    buckets = [zlib.crc32(text.encode()) % BUCKETS for text in names]
    classes = [label(item) for item in items] if label else None
    is_held_out = held_out(names, buckets, fraction, classes)
    parts: dict[str, list[Item]] = {"train": [], "validation": []}
    for item, is_out in zip(items, is_held_out, strict=True):
        parts["validation" if is_out else "train"].append(item)
    return {**splits, **parts}
