"""Recordings and transcripts: from a source to samples and characters."""

import dataclasses

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import sources
from rnnsuite.inputs import audio, waveform, words
from rnnsuite.tasks.transcription import recordings

from . import sample
from .config import DataConfig

MOST_SYMBOLS = 10_000
"""Of a transcript."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What the training records tell.

    Args:
        characters: in the order of their numbers.
        bins, frames: as the configuration has them.
        mean, deviation: each feature's.
    """

    characters: tuple[str, ...]
    bins: int
    frames: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def hop(self) -> int:
        """Samples of a step."""
        return audio.HOP * self.frames

    def vocabulary(self) -> words.Words:
        """Texts to numbers of characters and back."""
        return words.Words(self.characters, "characters", False, MOST_SYMBOLS)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records of `audio`, the bytes of a WAV file, `text`, `speaker` and `id`."""
    if config.source == "sample":
        return sources.from_records(sample.records(split))
    return recordings.load(config, split, audio.HOP * config.frames)


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """The characters, and the mean and deviation of every feature."""
    texts = records.map(lambda record: record["text"]).batch(256)
    try:
        counts = words.count_tokens(texts, "characters", False)
        characters = words.vocabulary(counts, MOST_SYMBOLS, 1)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    features = audio.LogMel(config.bins)
    moments = recordings.moments(features, records, audio.HOP * config.frames)
    return Fitted(characters, config.bins, config.frames, *moments)


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """({samples [steps * hop], steps}, {ids, the characters' numbers, steps})."""
    vocabulary = fitted.vocabulary()

    def example(record):
        samples = waveform.whole(record["audio"], fitted.hop)
        steps = tf.size(samples) // fitted.hop
        ids = vocabulary(record["text"][None])[0]
        return {"samples": samples, "steps": steps}, {"ids": ids, "steps": steps}

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=lambda inputs: inputs["steps"],
    splits=recordings.known_splits,
)
