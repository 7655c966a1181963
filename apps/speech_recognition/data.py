"""Recordings and transcripts: from a source to samples and symbols."""

import base64
import dataclasses
import itertools
import logging
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np
import soundfile
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches, people, sources, splits
from rnnsuite.data.notes import Skips
from rnnsuite.data.transcript_layouts import read_utterances
from rnnsuite.data.transcripts import Utterance, normalised
from rnnsuite.device import wave
from rnnsuite.inputs import audio, sound_files, subword, waveform, words
from rnnsuite.inputs.subword import Subwords
from rnnsuite.inputs.words import Words

from .augment import augment
from .config import GRAIN, DataConfig
from .sample import SentencesSample

log = logging.getLogger(__name__)
MEASURED = 500
"""Recordings from which mean and deviation of features are taken."""
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
    by_split = _utterances(config)
    chosen = people.of_split(config.source, by_split, split, config.validation, config.test)
    usable = _usable(config, split, chosen)
    rows = [
        {"path": str(item.path), "text": item.text, "speaker": item.person, "id": item.id}
        for item in usable
    ]

    def read(record):
        content = tf.numpy_function(_read_wav, [record["path"]], tf.string)
        rest = {name: record[name] for name in ("text", "speaker", "id")}
        return {"audio": tf.ensure_shape(content, []), **rest}

    return sources.from_records(rows).map(read, num_parallel_calls=tf.data.AUTOTUNE)


def _utterances(config: DataConfig) -> dict[str, list[Utterance]]:
    return read_utterances(pathlib.Path(config.source).expanduser(), config)


def _read_wav(path: bytes) -> bytes:
    return sound_files.as_wav(pathlib.Path(path.decode()))


def _usable(config: DataConfig, split: str, utterances: Sequence[Utterance]) -> list[Utterance]:
    """Utterances that can be read and learned; their transcripts normalised."""
    skips = Skips(config.on_error)
    usable = []
    for utterance in utterances:
        text = normalised(utterance.text, config)
        fault = sound_files.check(utterance.path) if utterance.path.is_file() else "no such file"
        if fault:
            skips(f"{utterance.path}: {fault}.")
        elif not text:
            skips(f"{utterance.path}: the transcript {utterance.text!r} has no word.")
        elif split == "train" and (reason := _unfit(config, utterance.path, text)):
            skips.leave_out(f"{utterance.path}: {reason}.")
        else:
            usable.append(dataclasses.replace(utterance, text=text))
    skips.report(f"{config.source}, {split}")
    if not usable:
        raise UserError(f"{config.source}: the {split} split has no usable recordings.")
    return usable


def _unfit(config: DataConfig, path: pathlib.Path, text: str) -> str:
    """Why a recording cannot be trained on; empty where it can."""
    info = soundfile.info(str(path))
    seconds = info.frames / info.samplerate
    if not config.shortest <= seconds <= config.longest:
        return f"{seconds:.1f} s, not {config.shortest:g} to {config.longest:g} (data.longest)"
    steps = int(seconds * wave.RATE) // (audio.HOP * config.reduction)
    needed = len(text) + sum(before == after for before, after in itertools.pairwise(text))
    if config.unit == "characters" and needed > steps:
        return f"{len(text)} characters in {seconds:.1f} s need {needed} steps; there are {steps}"
    return ""


def _load_built(config: DataConfig, split: str) -> tf.data.Dataset:
    text = config.text or "text"
    fields = (config.audio, text)
    _, read, names = sources.built(config.source, SentencesSample, config.splits, fields)

    def written(content):
        return normalised(content.decode("utf-8", "replace"), config).encode()

    def select(record):
        speaker = record.get(config.speaker or "speaker_id", tf.constant(""))
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

    return splits.with_validation(
        lambda name: read(name).map(select), names, split, "text", config.validation
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
    mean, deviation = _moments(config, records.take(MEASURED))
    return Fitted(
        tokens,
        base64.b64encode(model).decode(),
        config.bins,
        config.reduction,
        tuple(mean.tolist()),
        tuple(deviation.tolist()),
    )


def _moments(config: DataConfig, records: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    features = audio.LogMel(config.bins)
    hop = audio.HOP * config.reduction
    total = np.zeros(config.bins)
    squares = np.zeros(config.bins)
    frames = 0
    every_sound = records.map(lambda record: waveform.whole(record["audio"], hop))
    for samples in every_sound:
        values = features(samples[None])[0].numpy().astype(np.float64)
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
        frames += len(values)
    mean = total / max(frames, 1)
    return mean, np.sqrt(np.maximum(squares / max(frames, 1) - mean**2, 1e-4))


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


def known_splits(config: DataConfig) -> Iterable[str]:
    """Of a source."""
    return people.split_names(_utterances(config))


DATA = Data(
    config=DataConfig,
    fitted=Fitted,
    load=load,
    fit=fit,
    examples=examples,
    length=length,
    augment=augment,
    splits=known_splits,
)
