"""Records to examples: samples, and what is said at every step."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Literal

import numpy as np
import tensorflow as tf

from rnnsuite.data import labels
from rnnsuite.device import wave
from rnnsuite.inputs import audio, waveform

from .config import DataConfig
from .noise import SILENCE

STEP = 320
"""Samples of one step of the model: 20 ms."""
TAIL = 0.1
"""Seconds after a word in which a stream still says it."""
PIECE = 160
"""Samples, 10 ms, whose loudness is measured to find where something sounds."""
GAP = 10
"""Pieces of silence that do not divide a word."""
log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and how sound becomes features.

    Args:
        labels: class names in the order of their numbers.
        clip_samples: samples of a clip.
        bins, coefficients, normalisation: as the configuration has them.
        mean, deviation: each feature's mean and standard deviation.
    """

    labels: tuple[str, ...]
    clip_samples: int
    bins: int
    coefficients: int
    normalisation: Literal["fixed", "running", "clip"]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def background(self) -> int:
        """The number of the class that stands for no word; -1 without one."""
        return self.labels.index(SILENCE) if SILENCE in self.labels else -1


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Class names, and the mean and deviation of every feature. Raises UserError for one class."""
    names = labels.class_names(records, config.source)
    if config.normalisation == "clip":
        log.info("Features are normalised by the clip: there will be no streaming form.")
    count = round(config.clip_seconds * wave.RATE / STEP) * STEP
    features = audio.LogMel(config.bins, config.coefficients)
    total = np.zeros(features.width)
    squares = np.zeros(features.width)
    frames = 0

    def clip(record):
        return waveform.clip(record["audio"], count)

    for batch in records.map(clip, num_parallel_calls=tf.data.AUTOTUNE).batch(64).map(features):
        values = batch.numpy().reshape(-1, features.width).astype(np.float64)
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
        frames += len(values)
    mean = total / frames
    deviation = np.sqrt(np.maximum(squares / frames - mean**2, 1e-4))
    log.info("%d classes, %d clips.", len(names), frames * audio.HOP // count)
    return Fitted(
        names,
        count,
        config.bins,
        config.coefficients,
        config.normalisation,
        tuple(mean.tolist()),
        tuple(deviation.tolist()),
    )


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every record.

    Args:
        config: the data section.
        fitted: the classes.
        records: with `audio` and `label`.

    Returns:
        (samples `[clip_samples]`, targets): `label`, the class number; `span`, where in the clip
        something sounds, in samples `[2]`; `steps`, the class number of every 20 ms.
    """
    to_numbers = labels.class_numbers(fitted.labels)

    def example(record):
        samples = waveform.clip(record["audio"], fitted.clip_samples)
        label = to_numbers(record["label"])
        span = tf.where(label == fitted.background, 0.0, find_span(samples))
        return samples, targets(fitted, label, span)

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def targets(fitted: Fitted, label: tf.Tensor, span: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """The targets of one clip; see `examples`."""
    ends = tf.cast(tf.range(1, fitted.clip_samples // STEP + 1) * STEP, tf.float32)
    within = (ends > span[0]) & (ends <= span[1] + TAIL * wave.RATE) & (span[1] > span[0])
    return {"label": label, "span": span, "steps": tf.where(within, label, fitted.background)}


def find_span(samples: tf.Tensor) -> tf.Tensor:
    """The loudest stretch of a sound.

    Pieces of 10 ms count that stand out of the floor; gaps up to 0.2 s belong to the stretch.

    Args:
        samples: `[n]`.

    Returns:
        Its first and last sample `[2]`.
    """
    pieces = tf.reshape(samples[: tf.size(samples) // PIECE * PIECE], [-1, PIECE])
    energy = tf.reduce_mean(tf.square(pieces), axis=1) + 1e-9
    loudness = 10 * tf.experimental.numpy.log10(energy)
    loudness = tf.nn.avg_pool1d(loudness[None, :, None], 3, 1, "SAME")[0, :, 0]
    peak = tf.reduce_max(loudness)
    peak_index = tf.argmax(loudness, output_type=tf.int32)
    floor = tf.sort(loudness)[tf.size(loudness) // 10]
    loud = tf.cast(loudness > tf.maximum(floor, peak - 45) * 0.6 + peak * 0.4, tf.float32)
    joined = tf.nn.max_pool1d(loud[None, :, None], 2 * GAP + 1, 1, "SAME")[0, :, 0] > 0
    indices = tf.range(tf.size(loudness))
    first = tf.reduce_max(tf.where(~joined & (indices < peak_index), indices + 1, 0))
    last = tf.reduce_min(tf.where(~joined & (indices > peak_index), indices, tf.size(loudness)))
    inside = tf.where((loud > 0) & (indices >= first) & (indices < last))[:, 0]
    ends = tf.stack([tf.reduce_min(inside), tf.reduce_max(inside) + 1])
    return tf.cast(ends * PIECE, tf.float32)


def length(samples: tf.Tensor) -> tf.Tensor:
    """Samples of an example."""
    return tf.shape(samples)[0]
