"""Pictures and their classes: from a source to pixels and class numbers."""

import dataclasses
import logging
import pathlib
from collections.abc import Callable, Iterable

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import labels, sources, splits
from rnnsuite.data.notes import Skips
from rnnsuite.data.picture_layouts import LabelledImage, read_pictures
from rnnsuite.inputs import image, image_files

from .config import DataConfig
from .sample import ObjectSample

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and how pictures are read.

    Args:
        labels: class names in the order of their numbers.
        size: pixels of a side.
    """

    labels: tuple[str, ...]
    size: int


def split_names(config: DataConfig) -> Iterable[str]:
    """The splits that a path has. Raises UserError for none of the layouts."""
    return _pictures(config, pathlib.Path(config.source).expanduser())


def _pictures(config: DataConfig, root: pathlib.Path) -> dict[str, list[LabelledImage]]:
    skips = Skips(config.on_error)
    by_split = read_pictures(root, config, config.label, image_files.SUFFIXES, skips)
    skips.report(root)
    return by_split


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{image, label, name}` of one split: a file's bytes, a class name, a name.

    Raises:
        UserError: on unusable data.
    """
    if sources.is_built(config.source):
        return _load_built(config, split)
    root = pathlib.Path(config.source).expanduser()
    by_split = splits.divided(
        _pictures(config, root),
        config.validation,
        lambda entry: f"{entry.label}/{entry.path.name}",
        lambda entry: entry.label,
    )
    if split not in by_split:
        raise NoSplit(f"{root} has no {split} split; it has {', '.join(sorted(by_split))}.")
    skips = Skips(config.on_error)
    usable = image_files.usable(by_split[split], skips)
    skips.report(root)
    if not usable:
        raise UserError(f"{root}: the {split} split has no usable images.")
    records = sources.from_records(
        [
            {"image": str(entry.path), "label": entry.label, "name": entry.path.name}
            for entry in usable
        ]
    )
    return records.map(
        lambda record: {**record, "image": tf.io.read_file(record["image"])},
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _load_built(config: DataConfig, split: str) -> tf.data.Dataset:
    fields = (config.image, config.label)
    _, read, names = sources.built(config.source, ObjectSample, config.splits, fields)

    def select(record):
        content = record[config.image]
        name = tf.strings.as_string(tf.strings.to_hash_bucket_fast(content, 1 << 62))
        return {"image": content, "label": record[config.label], "name": name}

    return splits.with_validation(
        lambda name: read(name).map(select), names, split, "name", config.validation
    )


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Class names. Raises UserError for one class."""
    names = labels.class_names(records, config.source)
    log.info("%d classes.", len(names))
    return Fitted(names, config.size)


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every picture.

    Args:
        config: the data section.
        fitted: classes and size.
        records: see `load`.

    Returns:
        (image `[size, size, 3]` uint8, class number).
    """
    to_numbers = labels.class_numbers(fitted.labels)

    def example(record):
        pixels = image.pixels(record["image"], fitted.size)
        return tf.cast(pixels, tf.uint8), to_numbers(record["label"])

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def augment(config: DataConfig, fitted: Fitted) -> Callable:
    """Another view of the same picture, drawn for every picture and epoch."""
    change = image.altered(config.flip, config.crop, config.colour)
    margin = round(config.shift * fitted.size)

    def altered(pixels, label, seed):
        seed = tf.cast(seed, tf.int32)
        pixels = change(pixels, seed)
        if margin:
            sides = [[margin, margin], [margin, margin], [0, 0]]
            shape = [fitted.size, fitted.size, 3]
            padded = tf.pad(pixels, sides, mode="SYMMETRIC")
            pixels = tf.image.stateless_random_crop(padded, shape, seed + 2)
        pixels = tf.ensure_shape(tf.cast(pixels, tf.uint8), [fitted.size, fitted.size, 3])
        return pixels, label

    return altered


def length(pixels: tf.Tensor) -> tf.Tensor:
    """Rows of a picture."""
    return tf.shape(pixels)[0]


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=split_names,
    label="label",
)
