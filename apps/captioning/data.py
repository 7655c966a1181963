"""Pictures and what is said about them: from a source to pixels and subword ids."""

import base64
import dataclasses
import functools
import hashlib
import logging
import pathlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
import tensorflow as tf

from apps.captioning.sample import CaptioningSample
from rnnsuite import sources
from rnnsuite.config import Positive, Share, section
from rnnsuite.described import Described, described
from rnnsuite.errors import UserError
from rnnsuite.inputs import image, picture
from rnnsuite.inputs.cache import Cached
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize
from rnnsuite.layers.backbone import KINDS, Backbone
from rnnsuite.progress import bar

log = logging.getLogger(__name__)


@section
class Config:
    """What to read, and how pictures and captions become numbers.

    source: sample, tfds:NAME, or a folder in one of these layouts: captions.json (or
    dataset.json: Karpathy's) beside images/; COCO's annotations/captions_*.json beside the
    folders of images; Flickr8k.token.txt beside images/ and its lists of names. Or that one file.
    image, captions: the record's fields in a tensorflow-datasets source. splits: other names for its splits.
    validation: share held out where the source has no validation split, by a hash of the image's name.
    size: pixels of either side that images are stretched to. most_captions: of an image, the first.
    lowercase: captions are learned and written in small letters.
    vocabulary_size, max_tokens: subwords; longer captions are not trained on.
    backbone: a network of keras.applications in place of an encoder trained from scratch.
    weights: what it begins with: imagenet (downloaded), random, or a file of weights. frozen: it stays
    as it is, and what it makes of the pictures is kept on disk; without augmentation.
    flip: none, horizontal, or dihedral for pictures from above. crop, colour: how much of a side
    is cut away, and how much colours change, at most. All three in training only.
    on_error: what an unreadable or missing image, or one without captions, does.
    """

    source: str = "sample"
    image: str = "image"
    captions: str = "captions"
    splits: dict[Literal["train", "validation", "test"], str] = dataclasses.field(default_factory=dict)
    validation: Share = 0.1
    size: Annotated[int, pydantic.Field(ge=16, le=1024)] = 64
    most_captions: Positive = 5
    lowercase: bool = True
    vocabulary_size: Annotated[int, pydantic.Field(ge=16)] = 8000
    max_tokens: Annotated[int, pydantic.Field(ge=4)] = 40
    backbone: str = ""
    weights: str = "imagenet"
    frozen: bool = True
    flip: Literal["none", "horizontal", "dihedral"] = "none"
    crop: Annotated[float, pydantic.Field(ge=0, le=0.9)] = 0.0
    colour: Annotated[float, pydantic.Field(ge=0, le=0.9)] = 0.0
    on_error: Literal["error", "skip"] = "error"

    @pydantic.model_validator(mode="after")
    def _sound(self):
        if self.backbone and self.backbone not in KINDS:
            raise ValueError(f"there is no backbone {self.backbone}; there are {', '.join(KINDS)}")
        if self.backbone and self.frozen and (self.flip != "none" or self.crop or self.colour):
            raise ValueError("flip, crop and colour go with data.frozen=false: a frozen backbone sees a picture once")
        return self


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Learned on train: the sentencepiece model in base64, and checksums of the captions, in base64, too."""

    model: str
    known: str
    max_tokens: int
    size: int
    lowercase: bool
    backbone: str = ""
    frozen: bool = False

    def subwords(self) -> Subwords:
        return Subwords(base64.b64decode(self.model), self.max_tokens)

    def knows(self, captions: Iterable[str]) -> list[bool]:
        """Whether each stands in the training captions, but for case, marks and spaces."""
        known = set(np.frombuffer(base64.b64decode(self.known), "<u4").tolist())
        return [_checksum(caption) in known for caption in captions]


def _checksum(caption: str) -> int:
    return zlib.crc32("".join(character for character in caption.lower() if character.isalnum()).encode())


def load(config: Config, split: str) -> tf.data.Dataset:
    """Records `{image, captions, name}` of one split: a file's bytes, strings `[n]`, a name. Raises UserError."""
    if sources.is_built(config.source):
        return _prepared(config, split)
    root = pathlib.Path(config.source).expanduser()
    found = described(root)
    if "validation" not in found and (whole := next((each for each in ("train", "all") if each in found), None)):
        held = {name: [each for each in found[whole] if _is_held(each, config.validation) == (name == "validation")]
                for name in ("train", "validation")}  # fmt: skip
        found = {**found, **held}
    if split not in found:
        raise UserError(f"{root} has no {split} split; it has {', '.join(sorted(found))}.")
    usable = _usable(config, root, found[split])
    records = tf.data.Dataset.from_tensor_slices(
        {
            "image": [str(each.path) for each in usable],
            "captions": tf.ragged.constant([each.captions for each in usable], dtype=tf.string),
            "name": [each.path.name for each in usable],
        }
    )

    def read(record):
        return {**record, "image": tf.io.read_file(record["image"]), "captions": _dense(record["captions"])}

    return records.map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _dense(captions: Any) -> tf.Tensor:
    return captions.to_tensor() if isinstance(captions, tf.RaggedTensor) else captions


def _is_held(each: Described, share: float) -> bool:
    return zlib.crc32(each.path.name.encode()) % 10_000 < round(share * 10_000)


def _prepared(config: Config, split: str) -> tf.data.Dataset:
    _, read, names = sources.built(config.source, CaptioningSample, config.splits, (config.image, config.captions))

    def chosen(record):
        captions = record[config.captions]
        content = record[config.image]
        name = tf.strings.as_string(tf.strings.to_hash_bucket_fast(content, 1 << 62))
        return {
            "image": content,
            "captions": captions["text"] if isinstance(captions, dict) else captions,
            "name": name,
        }

    return sources.with_validation(lambda name: read(name).map(chosen), names, split, "name", config.validation)


def _usable(config: Config, root: pathlib.Path, found: Sequence[Described]) -> list[Described]:
    """Those that can be read and have captions; what is wrong with the others goes to `data.on_error`."""
    skips, kept = sources.Skips(config.on_error), []
    for each in bar(found, desc="images", unit="image", disable=len(found) < 5000):
        captions = tuple(caption for caption in each.captions if caption.strip())
        fault = "no captions" if not captions else picture.check(each.path)
        if fault:
            skips(f"{each.path}: {fault}.")
        else:
            kept.append(Described(each.path, captions))
    skips.report(root)
    if not kept:
        raise UserError(f"{root} holds no usable images with captions.")
    return kept


def fit(config: Config, records: tf.data.Dataset) -> Fitted:
    """The subword vocabulary of the training captions. Raises UserError where there are no words."""
    said = records.map(lambda record: record["captions"][: config.most_captions]).unbatch()
    captions = [text.decode() for batch in said.batch(4096) for text in _prepare(config.lowercase, batch).numpy()]
    try:
        model = learn_subwords(captions, config.vocabulary_size, "bpe")
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    known = np.unique(np.array([_checksum(caption) for caption in captions], "<u4")).tobytes()
    encoded = (base64.b64encode(each).decode() for each in (model, known))
    frozen = bool(config.backbone) and config.frozen
    fitted = Fitted(*encoded, config.max_tokens, config.size, config.lowercase, config.backbone, frozen)
    most = dataclasses.replace(fitted, max_tokens=fitted.max_tokens + 1).subwords()
    long = sum(int(tf.reduce_sum(tf.cast(most(tf.constant(part)).row_lengths() >= config.max_tokens, tf.int32)))
               for part in np.array_split(captions, -(-len(captions) // 4096)))  # fmt: skip
    log.info("%d subwords, %d different captions.", len(most.pieces), len(set(captions)))
    if long:
        log.warning("%d of %d captions are longer than data.max_tokens; they are left out.", long, len(captions))
    return fitted


def _prepare(lowercase: bool, captions: tf.Tensor) -> tf.Tensor:
    texts = normalize(captions)
    return tf.strings.lower(texts, encoding="utf-8") if lowercase else texts


def examples(config: Config, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """({image: `[size, size, 3]` uint8, target: ids before each step}, ids at it) `[captions, ids]` of every image.

    Captions that are too long are left out, and images that then have none. With a frozen
    backbone `features` `[h, w, channels]` are there in place of `image`.
    """
    subwords = dataclasses.replace(fitted, max_tokens=fitted.max_tokens + 1).subwords()

    def example(record):
        ids = subwords(_prepare(fitted.lowercase, record["captions"][: config.most_captions]))
        ids = tf.ragged.boolean_mask(ids, ids.row_lengths() < fitted.max_tokens)
        first, last = (tf.fill([ids.nrows(), 1], mark) for mark in (START, END))
        before, after = (tf.concat(each, axis=1).to_tensor() for each in ([first, ids], [ids, last]))
        seen = {name: record[name] for name in record if name == "features"}
        if not seen:
            seen = {"image": tf.cast(image.pixels(record["image"], fitted.size), tf.uint8)}
        return {**seen, "target": tf.ensure_shape(before, [None, None])}, tf.ensure_shape(after, [None, None])

    if fitted.frozen:
        records = _with_features(config, fitted, records)
    found = records.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return found.filter(lambda inputs, targets: tf.shape(targets)[0] > 0)


@functools.lru_cache(maxsize=1)
def pretrained(backbone: str, size: int, weights: str) -> Backbone:
    """The backbone that training begins with. Raises UserError where its weights cannot be had."""
    try:
        made = Backbone(backbone, size)
        if weights != "random":
            made.load(weights)
    except ValueError as error:
        raise UserError(
            f"{error}. Put them where Keras looks (~/.keras/models), give a file with data.weights, "
            "or train an encoder from scratch with data.backbone=''."
        ) from error
    made.trainable = False
    return made


def _with_features(config: Config, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Records with what the frozen backbone makes of their pictures, which is computed once and kept on disk."""
    backbone = pretrained(config.backbone, config.size, config.weights)
    digest = hashlib.sha256(f"{config.backbone} {config.size}".encode())
    for weight in backbone.weights:
        digest.update(np.asarray(weight).tobytes())
    compute = tf.function(lambda contents: backbone(image.pictures(contents, fitted.size)), autograph=False,
                          input_signature=[tf.TensorSpec([None], tf.string)])  # fmt: skip
    cached = Cached(lambda contents: compute(tf.constant(contents)).numpy(),
                    sources.cache_folder() / "features" / digest.hexdigest()[:16])  # fmt: skip
    shape = backbone.compute_output_shape((None, config.size, config.size, 3))

    def add(batch):
        features = tf.numpy_function(lambda contents: cached(list(contents)), [batch["image"]], tf.float32)
        return {**batch, "features": tf.ensure_shape(features, shape)}

    return records.ragged_batch(16).map(add).unbatch().map(lambda each: {**each, "captions": _dense(each["captions"])})


def augment(config: Config, fitted: Fitted) -> Callable:
    """Another view of the same picture, drawn for every image and epoch."""
    if fitted.frozen:
        return lambda inputs, targets, seed: (inputs, targets)
    change = image.altered(config.flip, config.crop, config.colour)

    def altered(inputs, targets, seed):
        pixels = tf.cast(change(inputs["image"], tf.cast(seed, tf.int32)), tf.uint8)
        return {**inputs, "image": tf.ensure_shape(pixels, [fitted.size, fitted.size, 3])}, targets

    return altered


def length(inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    return tf.shape(inputs["target"])[1]
