"""Clips from a source to numbers frame by frame, divided by people."""

import dataclasses
import functools
import itertools
import logging
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text
from rnnsuite.data import labels, people, sources
from rnnsuite.data.clip_layouts import read_clips
from rnnsuite.data.clips import Clip
from rnnsuite.inputs.video_files import LazyReader
from rnnsuite.layers.skeleton import Skeleton

from .augment import augment
from .config import DataConfig
from .sample import ActivitySample

log = logging.getLogger(__name__)
SMALLEST = 1e-6
"""Of a feature's deviation."""
FIELDS = ("id", "person", "label", "values")
"""Of a record in a tensorflow-datasets source."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and how frames are read.

    Args:
        labels: class names in the order of their numbers.
        width: numbers of a frame.
        joints: of a skeleton; 0 where frames are no skeletons.
        parts: joints of each part of the body.
        root, smooth, hop, context, scaling, spectrum: as the configuration has them.
        mean, deviation: of each feature: of a skeleton as `Skeleton` gives them.
        spread: deviation of each number of a frame.
    """

    labels: tuple[str, ...]
    width: int
    joints: int
    parts: tuple[tuple[int, ...], ...]
    root: int
    smooth: int
    hop: int
    context: int
    scaling: str
    spectrum: bool
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Neighbours within a part."""
        return bones_of(self.parts)


def bones_of(parts: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Neighbours within a part."""
    return tuple(pair for part in parts for pair in itertools.pairwise(part))


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of one split: `values` `[frames, numbers]`, NaN where one is missing; `joints`, how
    many these are of, or 0; and `label`, `person` and `id`.

    Raises:
        UserError: on unusable data.
    """
    clips = people.of_split(config.source, clips_of(config), split, config.validation, config.test)
    shapes = {clip.values.shape[1:] for clip in clips}
    if len(shapes) > 1:
        other = next(clip for clip in clips if clip.values.shape[1:] != clips[0].values.shape[1:])
        raise UserError(
            f"{config.source}: a frame of clip {clips[0].id} is {_shape(clips[0])}, and of "
            f"{other.id} {_shape(other)}."
        )
    shape = shapes.pop()
    joints = shape[0] if len(shape) == 2 else 0
    spec = {
        "values": tf.TensorSpec([None, int(np.prod(shape))], tf.float32),
        "joints": tf.TensorSpec([], tf.int32),
        **{name: tf.TensorSpec([], tf.string) for name in ("label", "person", "id")},
    }

    def records() -> Iterator[dict]:
        for clip in clips:
            yield {
                "values": clip.values.reshape(len(clip.values), -1),
                "joints": joints,
                "label": clip.label,
                "person": clip.person,
                "id": clip.id,
            }

    return tf.data.Dataset.from_generator(records, output_signature=spec)


def _shape(clip: Clip) -> str:
    return " x ".join(str(size) for size in clip.values.shape[1:])


def clips_of(config: DataConfig) -> dict[str, list[Clip]]:
    """All clips of a source by the splits that it has itself. Raises UserError."""
    if not sources.is_built(config.source):
        root = pathlib.Path(config.source).expanduser()
        return read_clips(root, config, LazyReader(config.video))
    return _generated(config.source, tuple(sorted(config.splits.items())))


@functools.lru_cache(maxsize=1)
def _generated(source: str, chosen: tuple[tuple[str, str], ...]) -> dict[str, list[Clip]]:
    _, read, names = sources.built(source, ActivitySample, dict(chosen), FIELDS)
    return {
        split: [
            Clip(
                as_text(record["id"]),
                as_text(record["person"]),
                as_text(record["label"]),
                record["values"].astype(np.float32),
            )
            for record in read(split).as_numpy_iterator()
        ]
        for split in names
    }


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Classes, and each feature's mean and deviation.

    Raises:
        UserError: for one class only, for parts of the body that have other joints than there are,
            and for a skeleton whose frames are to have one length.
    """
    names = labels.class_names(records, config.source)
    clips = list(records.as_numpy_iterator())
    joints = int(clips[0]["joints"])
    parts = tuple(tuple(part) for part in config.parts.values())
    largest = max((joint for part in parts for joint in (*part, config.root)), default=config.root)
    if joints and largest >= joints:
        raise UserError(
            f"data.parts or data.root: joint {largest}; the joints of {config.source} are 0 to "
            f"{joints - 1}."
        )
    if joints and config.scaling == "length":
        raise UserError("data.scaling=length is for features; a skeleton is divided by its size.")
    values = [clip["values"] for clip in clips]
    features = values
    if config.scaling == "length":
        features = [of_length_one(frames) for frames in values]
    if joints:
        skeleton = Skeleton(joints, config.root, bones_of(parts), config.smooth)
        skeleton.build((None, None, values[0].shape[1]))
        features = [skeleton(frames[None]).numpy()[0] for frames in values]
    mean, deviation = _moments(features)
    if config.scaling != "each":
        deviation = np.full_like(deviation, np.sqrt(np.mean(np.square(deviation))))
    _, spread = _moments(values)
    counts = [clip["label"].decode() for clip in clips]
    single = [name for name in names if counts.count(name) == 1]
    if single:
        log.warning("Classes with one clip in train: %s.", ", ".join(single[:10]))
    log.info("%d classes, %d clips, %d people.", len(names), len(clips), _people(clips))
    return Fitted(
        names,
        values[0].shape[1],
        joints,
        parts,
        config.root,
        config.smooth,
        config.hop,
        config.context,
        config.scaling,
        config.spectrum,
        tuple(mean.tolist()),
        tuple(deviation.tolist()),
        tuple(spread.tolist()),
    )


def of_length_one(frames: np.ndarray) -> np.ndarray:
    """Frames `[frames, numbers]` divided by their lengths; what is missing counts as 0."""
    known = np.nan_to_num(frames)
    return known / np.maximum(np.linalg.norm(known, axis=1, keepdims=True), SMALLEST)


def _people(clips: Sequence[Mapping]) -> int:
    return len({clip["person"] for clip in clips})


def _moments(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column over all rows; 0 and 1 of one that is always missing."""
    rows = np.concatenate(parts).astype(np.float64)
    is_known = np.isfinite(rows)
    count = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, rows, 0).sum(axis=0) / count
    deviation = np.sqrt(np.where(is_known, np.square(rows - mean), 0).sum(axis=0) / count)
    # A feature that never changes is left as it is.
    is_constant = deviation <= SMALLEST * np.maximum(np.abs(mean), SMALLEST)
    return mean, np.where(is_constant, 1.0, deviation)


def check_record(record: Mapping, fitted: Fitted) -> None:
    """Raises UserError for a clip of another width than the model's, or without a whole step."""
    frames, width = np.shape(record["values"])
    name = as_text(record["id"]) if "id" in record else "the clip"
    if width != fitted.width:
        raise UserError(f"{name}: a frame has {width} numbers, and the model reads {fitted.width}.")
    if frames < fitted.hop:
        raise UserError(f"{name} has {frames} frames; a step of the model is {fitted.hop}.")


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every clip.

    Args:
        config: the data section.
        fitted: the classes.
        records: see `load`.

    Returns:
        (values `[frames, numbers]`, targets): `label`, the class number, and `steps`, how many the
        clip has.
    """
    to_numbers = labels.class_numbers(fitted.labels)
    width = fitted.width

    def checked(values):
        if values.shape[1] != width or len(values) < fitted.hop:
            check_record({"values": values}, fitted)
        return values

    def example(record):
        values = tf.numpy_function(checked, [record["values"]], tf.float32)
        values = tf.ensure_shape(values, [None, width])
        return values, targets(fitted, to_numbers(record["label"]), values)

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def targets(fitted: Fitted, label: tf.Tensor, values: tf.Tensor) -> dict[str, tf.Tensor]:
    """The targets of one clip; see `examples`."""
    return {"label": label, "steps": tf.shape(values)[0] // fitted.hop}


def length(values: tf.Tensor) -> tf.Tensor:
    """Frames of an example."""
    return tf.shape(values)[0]


def known_splits(config: DataConfig) -> Iterable[str]:
    """Of a source."""
    return people.split_names(clips_of(config))


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=known_splits,
    label="label",
)
