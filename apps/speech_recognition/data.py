"""Recordings and transcripts: from a source to samples and symbols."""

import base64
import dataclasses
import logging

import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches, sources, splits
from rnnsuite.data.transcripts import normalised
from rnnsuite.device import wave
from rnnsuite.inputs import audio, subword, waveform, words
from rnnsuite.inputs.subword import Subwords
from rnnsuite.inputs.words import Words
from rnnsuite.tasks.transcription import recordings

from .augment import augment
from .config import GRAIN, DataConfig
from .sample import SentencesSample

log = logging.getLogger(__name__)
MOST_SYMBOLS = 10_000
"""Of a transcript."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What is fitted on train, and how sound becomes features.

    Args:
        tokens: characters in the order of their numbers; empty for subwords.
        subwords: the sentencepiece model in base64; empty for characters.
        bins, reduction: as the configuration has them.
        mean, deviation: each feature's.
    """

    tokens: tuple[str, ...]
    subwords: str
    bins: int
    reduction: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def hop(self) -> int:
        """Samples of a step."""
        return audio.HOP * self.reduction

    def vocabulary(self) -> Words | Subwords:
        """Texts to numbers of symbols and back, as operations of a graph."""
        if self.subwords:
            return Subwords(base64.b64decode(self.subwords), MOST_SYMBOLS, False)
        return Words(self.tokens, "characters", False, MOST_SYMBOLS)


def load(config: DataConfig, split: str) -> tf.data.Dataset:
    """Records `{audio, text, speaker, id}` of one split: the bytes of a WAV file, and what is said.

    Raises:
        UserError: on unusable data.
    """
    if sources.is_built(config.source):
        return _load_built(config, split)
    hop = audio.HOP * config.reduction
    return recordings.load(config, split, hop, is_spelled=config.unit == "characters")


def _load_built(config: DataConfig, split: str) -> tf.data.Dataset:
    text = config.text or "text"
    fields = (config.audio, text)
    builder, read, names = sources.built(config.source, SentencesSample, config.splits, fields)
    person = config.speaker or "speaker_id"

    def written(content):
        return normalised(content.decode("utf-8", "replace"), config).encode()

    def select(record):
        speaker = record.get(person, tf.constant(""))
        speaker = speaker if speaker.dtype == tf.string else tf.strings.as_string(speaker)
        content = tf.numpy_function(written, [record[text]], tf.string, stateful=False)
        samples = record[config.audio]
        scale = 1.0 if samples.dtype.is_floating else 32768.0
        sound = tf.audio.encode_wav(tf.cast(samples, tf.float32)[:, None] / scale, wave.RATE)
        name = record.get("id", tf.constant(""))
        return {
            "audio": sound,
            "text": tf.ensure_shape(content, []),
            "speaker": speaker,
            "id": name if name.dtype == tf.string else tf.strings.as_string(name),
        }

    key = "speaker" if person in builder.info.features else "text"
    return splits.with_validation(
        lambda name: read(name).map(select), names, split, key, config.validation
    )


def fit(config: DataConfig, records: tf.data.Dataset) -> Fitted:
    """Symbols, and the mean and deviation of every feature. Raises UserError without symbols."""
    texts = records.map(lambda record: record["text"])
    tokens: tuple[str, ...] = ()
    model = b""
    try:
        if config.unit == "subwords":
            every_text = (text.decode() for text in texts.as_numpy_iterator())
            model = subword.learn_subwords(every_text, config.vocabulary_size)
        else:
            counts = words.count_tokens(texts.batch(256), "characters", False)
            tokens = words.vocabulary(counts, config.vocabulary_size, 1)
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    hop = audio.HOP * config.reduction
    return Fitted(
        tokens,
        base64.b64encode(model).decode(),
        config.bins,
        config.reduction,
        *recordings.moments(audio.LogMel(config.bins), records, hop),
    )


def examples(config: DataConfig, fitted: Fitted, records: tf.data.Dataset) -> tf.data.Dataset:
    """Examples of every record.

    Args:
        config: the data section.
        fitted: symbols and steps.
        records: see `load`.

    Returns:
        (inputs, targets): `samples`, at least `[steps * hop]`, and `steps`; `ids`, the symbols'
        numbers `[symbols]`.
    """
    vocabulary = fitted.vocabulary()

    def example(record):
        samples = waveform.whole(record["audio"], fitted.hop)
        steps = tf.size(samples) // fitted.hop
        ids = vocabulary(record["text"][None])[0]
        samples = batches.in_grains(samples, GRAIN * fitted.hop)
        return {"samples": samples, "steps": steps}, {"ids": ids, "steps": steps}

    return records.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def length(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    """Steps of an example."""
    return inputs["steps"]


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=recordings.known_splits,
)
