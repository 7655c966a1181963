"""Images and their captions: from a source to pixels and subword ids."""

import base64
import dataclasses
import functools
import logging
import pathlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError, nearest
from rnnsuite.core.progress import bar
from rnnsuite.data import sources, splits, suggestions
from rnnsuite.data.caption_layouts import CaptionedImage, read_captions
from rnnsuite.data.notes import Skips
from rnnsuite.inputs import features, image, image_files
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize
from rnnsuite.layers.backbone import KINDS, Backbone

from .config import DataConfig
from .sample import CaptioningSample

log = logging.getLogger(__name__)
LONGEST = 1024
"""Tokens that are counted of a caption."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and how images are read.

    Args:
        model: the sentencepiece model, in base64.
        known: checksums of the training captions, in base64.
        max_tokens, size, lowercase, backbone, frozen: as the configuration has them.
    """

    model: str
    known: str
    max_tokens: int
    size: int
    lowercase: bool
    backbone: str = ""
    frozen: bool = False

    def subwords(self, extra: int = 0) -> Subwords:
        """The vocabulary of captions. extra: subwords that are read beyond max_tokens."""
        return Subwords(base64.b64decode(self.model), self.max_tokens + extra)

    def knows(self, captions: Iterable[str]) -> list[bool]:
        """Whether each is a training caption, but for case, punctuation and spaces."""
        checksums = set(np.frombuffer(base64.b64decode(self.known), "<u4").tolist())
        return [_checksum(caption) in checksums for caption in captions]


def _checksum(caption: str) -> int:
    letters = "".join(character for character in caption.lower() if character.isalnum())
    return zlib.crc32(letters.encode())


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
    by_split = _with_validation(config, _captions(config, root))
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
        return {**record, "image": content, "captions": _dense(record["captions"])}

    return records.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _with_validation(
    config: DataConfig, by_split: Mapping[str, list[CaptionedImage]]
) -> dict[str, list[CaptionedImage]]:
    """The splits, with a validation split held out of the training images where there is none."""
    whole = next((name for name in ("train", splits.WHOLE) if name in by_split), None)
    if "validation" in by_split or whole is None:
        return dict(by_split)
    divided: dict[str, list[CaptionedImage]] = {"train": [], "validation": []}
    entries = by_split[whole]
    buckets = [zlib.crc32(entry.path.name.encode()) % splits.BUCKETS for entry in entries]
    names = [entry.path.name for entry in entries]
    is_held_out = splits.held_out(names, buckets, config.validation)
    for entry, held in zip(entries, is_held_out, strict=True):
        divided["validation" if held else "train"].append(entry)
    return {**by_split, **divided}


def _dense(captions: Any) -> tf.Tensor:
    return captions.to_tensor() if isinstance(captions, tf.RaggedTensor) else captions


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
    usable = []
    for entry in bar(entries, desc="images", unit="image", disable=len(entries) < 5000):
        captions = tuple(caption for caption in entry.captions if caption.strip())
        fault = image_files.check(entry.path) if captions else "no captions"
        if fault:
            skips(f"{entry.path}: {fault}.")
        else:
            usable.append(CaptionedImage(entry.path, captions))
    skips.report(root)
    if not usable:
        raise UserError(f"{root} holds no usable images with captions.")
    return usable


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The subword vocabulary of the training captions. Raises UserError without any words."""
    texts = records.map(lambda record: record["captions"][: config.most_captions]).unbatch()
    captions = [
        text.decode()
        for batch in texts.batch(4096)
        for text in _prepare(config.lowercase, batch).numpy()
    ]
    try:
        model = learn_subwords(captions, config.vocabulary_size, "bpe")
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    checksums = np.unique(np.array([_checksum(caption) for caption in captions], "<u4")).tobytes()
    fitted = Fitted(
        base64.b64encode(model).decode(),
        base64.b64encode(checksums).decode(),
        config.max_tokens,
        config.size,
        config.lowercase,
        config.backbone,
        bool(config.backbone) and config.frozen,
    )
    _report(config, fitted, captions)
    return fitted


def _report(config: DataConfig, fitted: Fitted, captions: Sequence[str]) -> None:
    subwords = dataclasses.replace(fitted, max_tokens=LONGEST).subwords()
    log.info("%d subwords, %d different captions.", len(subwords.pieces), len(set(captions)))
    parts = np.array_split(captions, -(-len(captions) // 4096))
    counts = [subwords(tf.constant(part)).row_lengths().numpy() for part in parts]
    # A caption has its end in addition.
    longest = np.concatenate(counts) + 1
    suggestions.say_longer(longest, config.max_tokens, "captions", "left out")


def _prepare(lowercase: bool, captions: tf.Tensor) -> tf.Tensor:
    texts = normalize(captions)
    return tf.strings.lower(texts, encoding="utf-8") if lowercase else texts


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
        ids = subwords(_prepare(fitted.lowercase, record["captions"][: config.most_captions]))
        ids = tf.ragged.boolean_mask(ids, ids.row_lengths() < fitted.max_tokens)
        start = tf.fill([ids.nrows(), 1], START)
        end = tf.fill([ids.nrows(), 1], END)
        before = tf.concat([start, ids], axis=1).to_tensor()
        after = tf.concat([ids, end], axis=1).to_tensor()
        inputs = {"target": tf.ensure_shape(before, [None, None])}
        if fitted.frozen:
            inputs["features"] = record["features"]
        else:
            inputs["image"] = tf.cast(image.pixels(record["image"], fitted.size), tf.uint8)
        return inputs, tf.ensure_shape(after, [None, None])

    if fitted.frozen:
        backbone = pretrained(config.backbone, config.size, config.weights)
        records = features.with_features(records, backbone, fitted.size)
        records = records.map(lambda record: {**record, "captions": _dense(record["captions"])})
    pairs = records.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.filter(lambda inputs, targets: tf.shape(targets)[0] > 0)


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
