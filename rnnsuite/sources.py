"""Where records come from, and how examples become batches.

A source is `sample` (an application's generated data set), `tfds:NAME`, or a path. All of
them give a `tf.data.Dataset` of records for one split; class labels are always names.
"""

import contextlib
import csv
import io
import json
import logging
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from rnnsuite.errors import UserError, nearest

ALIASES = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
log = logging.getLogger(__name__)


def cache_folder() -> pathlib.Path:
    """Where generated samples are kept: $RNNSUITE_CACHE, or ~/.cache/rnnsuite."""
    return pathlib.Path(os.environ.get("RNNSUITE_CACHE") or pathlib.Path.home() / ".cache" / "rnnsuite")


def prepare(builder: Any, quiet: bool = False) -> Any:
    """A tensorflow-datasets builder with its records generated or downloaded. Raises UserError."""
    import tensorflow_datasets as tfds

    said = io.StringIO() if quiet else sys.stderr
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        tfds.display_progress_bar(not quiet)
        try:
            builder.download_and_prepare()
        except (OSError, ConnectionError) as error:
            raise UserError(f"Cannot prepare {builder.name} in {builder.data_dir}: {error}") from error
    return builder


def from_tfds(builder: Any, split: str) -> tf.data.Dataset:
    """One split, or a slice such as `train[:90%]`, of a prepared builder.

    ClassLabel features become their names, Image features the bytes of their files.
    """
    import tensorflow_datasets as tfds

    name = split.split("[")[0]
    if name not in builder.info.splits:
        raise UserError(f"{builder.name} has no split {name!r}.{nearest(name, builder.info.splits)}")
    names = {
        key: tf.constant(feature.names)
        for key, feature in builder.info.features.items()
        if isinstance(feature, tfds.features.ClassLabel) and feature.names
    }

    def named(record):
        # An unlabelled record carries -1: its name is empty.
        return {
            key: tf.where(value < 0, "", tf.gather(names[key], tf.maximum(value, 0))) if key in names else value
            for key, value in record.items()
        }

    decoders = {
        key: tfds.decode.SkipDecoding()
        for key, feature in builder.info.features.items()
        if isinstance(feature, tfds.features.Image)
    }
    return builder.as_dataset(split=split, shuffle_files=False, decoders=decoders).map(named)


def tfds_builder(source: str) -> Any:
    """The builder of `tfds:NAME`. Raises UserError when tensorflow-datasets has none of that name."""
    name = source.removeprefix("tfds:")
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name)
    except tfds.core.DatasetNotFoundError as error:
        raise UserError(f"tensorflow-datasets has no data set {name!r}.") from error


def built(
    source: str, sample: Callable[..., Any], splits: Mapping[str, str], fields: Iterable[str]
) -> tuple[Any, Callable[[str], tf.data.Dataset], dict[str, str]]:
    """`sample` or `tfds:NAME`, prepared: the builder, `read(split)` to records with `fields`, and the splits' names.

    sample: the builder class of the generated data set. splits: other names or slices for
    splits. Raises UserError where there is no such data set, or it lacks a field.
    """
    generated = source == "sample"
    builder = sample(data_dir=cache_folder()) if generated else tfds_builder(source)
    prepare(builder, quiet=generated)
    names = {**{name: name for name in builder.info.splits}, **splits}

    def read(split):
        records = from_tfds(builder, names[split])
        for field in fields:
            if field not in records.element_spec:
                raise UserError(f"{source} has no field {field!r}; it has {', '.join(records.element_spec)}.")
        return records

    return builder, read, names


def from_records(records: Sequence[Mapping[str, Any]]) -> tf.data.Dataset:
    """A data set of records that are in memory already, all with the same keys."""
    return tf.data.Dataset.from_tensor_slices({key: [record[key] for record in records] for key in records[0]})


def splits_of(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """The splits of a path: `train/`, `dev.tsv`, ... by their usual names; only "all" where it has none.

    Raises UserError when `root` does not exist.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    entries = [] if root.is_file() else sorted(root.iterdir())
    stems = {entry.name.split(".")[0]: entry for entry in entries if not entry.name.startswith(".")}
    found = {split: stems[name] for split, names in ALIASES.items() for name in names if name in stems}
    return found or {"all": root}


def is_built(source: str) -> bool:
    """Whether `source` is a data set that a builder makes, not a path."""
    return source == "sample" or source.startswith("tfds:")


def is_one_split(source: str) -> bool:
    """Whether `source` is a path without splits of its own, to be used whole; also the beginning of files' names."""
    path = pathlib.Path(source).expanduser()
    return not is_built(source) and (not path.exists() or "all" in splits_of(path))


def with_validation(
    read: Callable[[str], tf.data.Dataset], known: Iterable[str], split: str, key: str, share: float
) -> tf.data.Dataset:
    """`read(split)`; where `known` has no validation split, `share` of the training records is it.

    A source of one split, "all", is divided into train and validation. Raises UserError on
    a split that there is not.
    """
    known = set(known)
    if split in known and (split != "train" or "validation" in known):
        return read(split)
    whole = "all" if "all" in known else "train"
    if split not in ("train", "validation") or whole not in known:
        raise UserError(f"The source has no {split} split; it has {', '.join(sorted(known))}.")
    return hold_out(read(whole), key, share, held=split == "validation")


def class_folders(
    folder: pathlib.Path, suffixes: Sequence[str], ignored: Iterable[str] = ()
) -> list[tuple[pathlib.Path, str]]:
    """Every file of `folder/<class>/` that ends in one of `suffixes`, with its class, in sorted order.

    Raises UserError where there is none, or a class without any.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    classes = [
        entry
        for entry in entries
        if entry.is_dir() and entry.name not in set(ignored) and not entry.name.startswith(".")
    ]
    found = []
    for entry in classes:
        files = [file for file in sorted(entry.iterdir()) if file.suffix.lower() in suffixes]
        if not files:
            raise UserError(f"The class folder {entry} has no {', '.join(suffixes)} files. Fill it, or move it away.")
        found += [(file, entry.name) for file in files]
    if not found:
        raise UserError(f"{folder} has no folders of classes with {', '.join(suffixes)} files in them.")
    return found


class Skips:
    """What to do with a bad record: raise UserError, or count it and go on."""

    def __init__(self, on_error: str):
        self.on_error, self.count = on_error, 0

    def __call__(self, message: str) -> None:
        if self.on_error == "error":
            raise UserError(f"{message} Mend it, or leave such records out with --set data.on_error=skip.")
        self.count += 1
        log.debug("skipped: %s", message)

    def report(self, origin: Any) -> None:
        if self.count:
            log.warning("%s: %d bad records skipped.", origin, self.count)


def table(path: pathlib.Path, columns: Sequence[str], skips: Skips) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a .csv, .tsv or .jsonl file, by column name.

    `columns` names the columns of a CSV or TSV without a header line. Raises UserError on
    an empty or undecodable file; a line that is no UTF-8 or no JSON goes to `skips`.
    """
    raw = path.read_bytes()
    if not raw.strip():
        raise UserError(f"{path} is empty.")
    # Undecodable bytes become surrogates, so that one bad line does not lose the others.
    text = raw.decode("utf-8-sig", errors="surrogateescape")
    reader = _json_lines if path.suffix == ".jsonl" else _delimited
    for line, row in reader(path, text, columns, skips):
        if any("\udc80" <= character <= "\udcff" for value in row.values() for character in str(value)):
            skips(f"{path}, line {line}: not UTF-8.")
        else:
            yield line, row


def _json_lines(path, text, columns, skips):
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield line, row
        else:
            skips(f"{path}, line {line}: no JSON object.")


def _delimited(path, text, columns, skips):
    csv.field_size_limit(2**31 - 1)
    stream = io.StringIO(text.replace("\0", "\ufffd"), newline="")
    tabs = path.suffix == ".tsv"
    # TSV sets of the field are written without quoting: a quotation mark is only a character.
    reader = csv.DictReader(
        stream, fieldnames=list(columns) or None, delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL, restkey="", restval="",
    )  # fmt: skip
    for row in reader:
        if "" in row:
            skips(f"{path}, line {reader.line_num}: more fields than the {len(reader.fieldnames)} columns.")
        else:
            yield reader.line_num, row


def classes(records: tf.data.Dataset, origin: str) -> tuple[str, ...]:
    """The class names in `record["label"]`, sorted. Raises UserError where there is one only, or a record without."""
    found = {label.decode("utf-8") for label in records.map(lambda record: record["label"]).as_numpy_iterator()}
    if "" in found:
        raise UserError(f"{origin}: the training split has records without a label.")
    if len(found) < 2:
        raise UserError(f"{origin}: the training split has one class only ({', '.join(found) or 'no records'}).")
    return tuple(sorted(found))


def class_numbers(labels: Sequence[str]) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from class names to their places in `labels`; one that is not there is an error in the graph."""
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(labels), tf.range(len(labels))), default_value=-1
    )

    def numbers(names):
        found = table.lookup(names)
        known = tf.debugging.assert_non_negative(found, "a label that the training split does not have")
        with tf.control_dependencies([known] if known is not None else []):
            return tf.identity(found)

    return numbers


def hold_out(records: tf.data.Dataset, key: str, share: float, held: bool) -> tf.data.Dataset:
    """The `share` of records that is held out, or (`held` false) the others.

    Chosen by a hash of `record[key]`, so that it needs no second pass, never changes, and
    two equal texts are never on both sides.
    """

    def chosen(record):
        return (tf.strings.to_hash_bucket_fast(record[key], 10_000) < round(share * 10_000)) == held

    return records.filter(chosen)


def batches(
    examples: tf.data.Dataset,
    length: Callable[[Any], tf.Tensor],
    boundaries: Sequence[int],
    batch_size: int | Callable[[int], int],
    shuffle_seed: int | None = None,
    augment: Callable[[Any, Any, tf.Tensor], tuple] | None = None,
    shuffled: int = 200_000,
) -> tf.data.Dataset:
    """Batches of examples of similar length, padded with zeros to the longest in the batch.

    The boundaries are fixed, inclusive upper bounds; an example longer than all of them has
    a bucket of its own. batch_size may be a function of a bucket's bound. With a seed the order
    is drawn from it and from nothing else, `shuffled` examples at a time: the same seed gives the same batches.
    `augment(inputs, targets, seed)` then alters every example, with a seed of its own.
    """
    if shuffle_seed is not None:
        examples = examples.shuffle(shuffled, seed=shuffle_seed, reshuffle_each_iteration=False)
        if augment:
            examples = examples.enumerate().map(
                lambda number, example: augment(*example, tf.stack([tf.cast(shuffle_seed, tf.int64), number])),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
    upper = [bound + 1 for bound in boundaries]
    size_of = batch_size if callable(batch_size) else lambda _: batch_size
    return examples.bucket_by_sequence_length(
        lambda inputs, targets: tf.cast(length(inputs), tf.int32),
        bucket_boundaries=upper,
        bucket_batch_sizes=[size_of(bound) for bound in (*boundaries, 2 * boundaries[-1])],
        pad_to_bucket_boundary=False,
    ).prefetch(tf.data.AUTOTUNE)
