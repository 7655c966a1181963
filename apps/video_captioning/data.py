"""Frames and captions: from a source to features and subword ids."""

import dataclasses
import logging
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.core.text import as_text
from rnnsuite.data import sources, splits
from rnnsuite.data.notes import Skips
from rnnsuite.data.video_layouts import CaptionedVideo, read_videos
from rnnsuite.inputs.video_files import LazyReader
from rnnsuite.tasks.generation.captions import Captions, dense, fit_captions, has_captions

from .config import DataConfig
from .sample import VideoSample

log = logging.getLogger(__name__)
SMALLEST = 1e-6
"""Of a feature's deviation."""


@dataclasses.dataclass(frozen=True)
class Fitted(Captions):
    """What is fitted on train.

    Args:
        model, known, max_tokens, lowercase: see `Captions`.
        mean, deviation: of each feature, over frames that are there.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def width(self) -> int:
        """Features of a frame."""
        return len(self.mean)


def split_names(config: DataConfig) -> Iterable[str]:
    """The splits that a path has. Raises UserError for none of the layouts."""
    return _videos(config)


def _videos(config: DataConfig) -> dict[str, list[CaptionedVideo]]:
    root = pathlib.Path(config.source).expanduser()
    skips = Skips(config.on_error)
    by_split = read_videos(root, config, skips, LazyReader(config.video))
    skips.report(root)
    if not by_split:
        raise UserError(f"{root} holds no usable videos with captions.")
    return by_split


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of one split: `features` `[frames, features]`, `captions` `[n]`, and `name`.

    Raises:
        UserError: on unusable data.
    """
    if sources.is_built(config.source):
        return _load_built(config, split)
    by_split = splits.divided(_videos(config), config.validation, lambda video: video.id)
    if split not in by_split:
        raise NoSplit(
            f"{config.source} has no {split} split; it has {', '.join(sorted(by_split))}."
        )
    videos = by_split[split]
    if not videos:
        raise UserError(f"data.validation={config.validation:g} leaves the {split} split empty.")
    spec = {
        "features": tf.TensorSpec([None, videos[0].features.shape[1]], tf.float32),
        "captions": tf.TensorSpec([None], tf.string),
        "name": tf.TensorSpec([], tf.string),
    }

    def records() -> Iterator[dict]:
        for video in videos:
            captions = np.array([caption.encode() for caption in video.captions], object)
            yield {"features": video.features, "captions": captions, "name": video.id}

    return tf.data.Dataset.from_generator(records, output_signature=spec)


def _load_built(config: DataConfig, split: str) -> tf.data.Dataset:
    fields = (config.features, config.captions)
    _, read, names = sources.built(config.source, VideoSample, config.splits, fields)

    def select(record):
        features = tf.cast(record[config.features], tf.float32)
        content = tf.io.serialize_tensor(features)
        name = tf.strings.as_string(tf.strings.to_hash_bucket_fast(content, 1 << 62))
        captions = dense(record[config.captions])
        return {"features": features, "captions": captions, "name": record.get("id", name)}

    return splits.with_validation(
        lambda name: read(name).map(select), names, split, "name", config.validation
    )


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Vocabulary, and each feature's mean and deviation. Raises UserError without any words."""
    total = np.zeros(())
    squares = np.zeros(())
    count = 0
    for record in records.as_numpy_iterator():
        frames = record["features"].astype(np.float64)
        frames = frames[frames.any(axis=1)]
        total = total + frames.sum(axis=0)
        squares = squares + np.square(frames).sum(axis=0)
        count += len(frames)
    if not count:
        raise UserError(f"{config.source}: every frame of every video is empty.")
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    deviation = np.where(deviation > SMALLEST, deviation, 1.0)
    return Fitted(
        **dataclasses.asdict(fit_captions(config, records)),
        mean=tuple(mean.tolist()),
        deviation=tuple(deviation.tolist()),
    )


def check_record(record: Mapping, fitted: Fitted) -> None:
    """Raises UserError for features of another width than the model's."""
    width = np.shape(record["features"])[-1]
    if width != fitted.width:
        name = as_text(record["name"]) if "name" in record else "the video"
        raise UserError(
            f"{name}: a frame has {width} features, and the model reads {fitted.width}."
        )


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every video with all its captions.

    Captions that are too long are left out, and videos that then have none.

    Args:
        config: the data section.
        fitted: the vocabulary.
        records: see `load`.

    Returns:
        ({`features` `[frames, features]`; `target` ids before each step}, ids at it), ids
        `[captions, ids]`.

    Raises:
        UserError: for features of another width than train's.
    """
    subwords = fitted.subwords(extra=1)
    width = records.element_spec["features"].shape[-1]
    if width is not None:
        check_record({"features": np.zeros([1, width])}, fitted)

    def example(record):
        before, after = fitted.steps(subwords, record["captions"][: config.most_captions])
        features = tf.ensure_shape(record["features"], [None, fitted.width])
        return {"features": features, "target": before}, after

    pairs = records.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.filter(has_captions)


def augment(config: DataConfig, fitted: Fitted) -> Callable:
    """Another look at the same video: some frames are left out, features are less exact."""
    deviation = tf.constant(fitted.deviation, tf.float32)

    def altered(inputs, targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 2)
        features = inputs["features"]
        is_frame = tf.reduce_any(features != 0, axis=1, keepdims=True)
        if config.noise:
            noise = tf.random.stateless_normal(tf.shape(features), seeds[0])
            noisy = features + config.noise * deviation * noise
            features = tf.where(is_frame, noisy, features)
        if config.frame_dropout:
            draws = tf.random.stateless_uniform(tf.shape(is_frame), seeds[1])
            features = tf.where(draws < config.frame_dropout, tf.zeros_like(features), features)
        return {**inputs, "features": features}, targets

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
