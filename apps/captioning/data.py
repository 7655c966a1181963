"""Images and their captions: from a source to pixels and subword ids."""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError, nearest
from rnnsuite.data import sources, splits
from rnnsuite.data.caption_layouts import CaptionedImage, read_captions
from rnnsuite.data.notes import Skips
from rnnsuite.inputs import features, image, image_files
from rnnsuite.layers.backbone import KINDS, Backbone
from rnnsuite.tasks.generation.captions import Captions, dense, fit_captions, has_captions

from .config import DataConfig
from .sample import CaptioningSample

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Fitted(Captions):
    """What is fitted on train, and how images are read.

    Args:
        model, known, max_tokens, lowercase: see `Captions`.
        size, backbone, frozen: as the configuration has them.
    """

    size: int
    backbone: str = ""
    frozen: bool = False


def split_names(config: DataConfig) -> Iterable[str]:
    """The splits that a path has. Raises UserError for none of the layouts."""
    return _captions(config, pathlib.Path(config.source).expanduser())


def _captions(config: DataConfig, root: pathlib.Path) -> dict[str, list[CaptionedImage]]:
    skips = Skips(config.on_error)
    by_split = read_captions(root, config, skips)
    skips.report(root)
    return by_split


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{image, captions, name}` of one split: a file's bytes, strings `[n]`, a name.

    Raises:
        UserError: on unusable data.
    """
    if config.backbone and config.backbone not in KINDS:
        raise UserError(
            f"data.backbone: unknown network {config.backbone}.{nearest(config.backbone, KINDS)}"
        )
    if sources.is_built(config.source):
        return _load_built(config, split)
    root = pathlib.Path(config.source).expanduser()
    captioned = _captions(config, root)
    by_split = splits.divided(captioned, config.validation, lambda entry: entry.path.name)
    if split not in by_split:
        raise NoSplit(f"{root} has no {split} split; it has {', '.join(sorted(by_split))}.")
    usable = _usable(config, root, by_split[split])
    records = tf.data.Dataset.from_tensor_slices(
        {
            "image": [str(entry.path) for entry in usable],
            "captions": tf.ragged.constant([entry.captions for entry in usable], dtype=tf.string),
            "name": [entry.path.name for entry in usable],
        }
    )

    def read(record):
        content = tf.io.read_file(record["image"])
        return {**record, "image": content, "captions": dense(record["captions"])}

    return records.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _load_built(config: DataConfig, split: str) -> tf.data.Dataset:
    fields = (config.image, config.captions)
    _, read, names = sources.built(config.source, CaptioningSample, config.splits, fields)

    def select(record):
        captions = record[config.captions]
        content = record[config.image]
        name = tf.strings.as_string(tf.strings.to_hash_bucket_fast(content, 1 << 62))
        texts = captions["text"] if isinstance(captions, dict) else captions
        return {"image": content, "captions": texts, "name": name}

    return splits.with_validation(
        lambda name: read(name).map(select), names, split, "name", config.validation
    )


def _usable(
    config: DataConfig, root: pathlib.Path, entries: Sequence[CaptionedImage]
) -> list[CaptionedImage]:
    """Those that can be read and have captions; faults of the others go to data.on_error."""
    skips = Skips(config.on_error)
    captioned = []
    for entry in entries:
        captions = tuple(caption for caption in entry.captions if caption.strip())
        if captions:
            captioned.append(CaptionedImage(entry.path, captions))
        else:
            skips(f"{entry.path}: no captions.")
    usable = image_files.usable(captioned, skips)
    skips.report(root)
    if not usable:
        raise UserError(f"{root} holds no usable images with captions.")
    return usable


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The subword vocabulary of the training captions. Raises UserError without any words."""
    return Fitted(
        **dataclasses.asdict(fit_captions(config, records)),
        size=config.size,
        backbone=config.backbone,
        frozen=bool(config.backbone) and config.frozen,
    )


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every image with all its captions.

    Captions that are too long are left out, and images that then have none.

    Args:
        config: the data section.
        fitted: the vocabulary.
        records: see `load`.

    Returns:
        ({`image` `[size, size, 3]` uint8, or `features` `[h, w, channels]` of a frozen backbone;
        `target` ids before each step}, ids at it), ids `[captions, ids]`.
    """
    subwords = fitted.subwords(extra=1)

    def example(record):
        before, after = fitted.steps(subwords, record["captions"][: config.most_captions])
        inputs = {"target": before}
        if fitted.frozen:
            inputs["features"] = record["features"]
        else:
            inputs["image"] = tf.cast(image.pixels(record["image"], fitted.size), tf.uint8)
        return inputs, after

    if fitted.frozen:
        backbone = pretrained(config.backbone, config.size, config.weights)
        records = features.with_features(records, backbone, fitted.size)
        records = records.map(lambda record: {**record, "captions": dense(record["captions"])})
    pairs = records.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.filter(has_captions)


@functools.lru_cache(maxsize=1)
def pretrained(backbone: str, size: int, weights: str) -> Backbone:
    """The backbone that training begins with. Raises UserError where its weights cannot be had."""
    try:
        return features.pretrained(backbone, size, weights)
    except ValueError as error:
        raise UserError(
            f"{error}. Put them where Keras looks (~/.keras/models), give a file with "
            f"data.weights, "
            "or train an encoder from scratch with data.backbone=''."
        ) from error


def augment(config: DataConfig, fitted: Fitted) -> Callable:
    """Another view of the same image, drawn for every image and epoch."""
    if fitted.frozen:
        return lambda inputs, targets, seed: (inputs, targets)
    change = image.altered(config.flip, config.crop, config.colour)

    def altered(inputs, targets, seed):
        pixels = change(inputs["image"], tf.cast(seed, tf.int32))
        pixels = tf.ensure_shape(tf.cast(pixels, tf.uint8), [fitted.size, fitted.size, 3])
        return {**inputs, "image": pixels}, targets

    return altered


def length(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Subwords of the longest caption of an example."""
    return tf.shape(inputs["target"])[1]


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=split_names,
)
