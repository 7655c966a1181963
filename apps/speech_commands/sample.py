"""The offline sample: spoken-word-like clips from a source-filter synthesiser.

Eight words of two vowels around a consonant, in pairs that differ only in the order of
their sounds: played backwards, one sounds like the other, so that no model does well that
only counts sounds. Voices differ in pitch, vocal tract, rate, loudness and noise. A voice is
in one split only. Deterministic.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rnnsuite.data.voices import RATE, speak

SIZES = {"train": 1200, "validation": 240, "test": 400}
VOICES = {"train": 60, "validation": 20, "test": 20}
WORDS = ("asi", "isa", "amu", "uma", "eko", "oke", "ilo", "oli")


def clip(word: str, voice: int, number: int) -> np.ndarray:
    """One second with a word in it, at -20 to -3 dB of full scale, over noise 15 to 40 dB lower."""
    rng = np.random.default_rng([zlib.crc32(word.encode()), voice, number])
    word_sound, _ = speak(word, np.random.default_rng(voice), rng)
    word_sound = word_sound[: RATE - 800]
    samples = np.zeros(RATE)
    start = rng.integers(0, RATE - len(word_sound))
    level = 10 ** (rng.uniform(-20, -3) / 20)
    samples[start : start + len(word_sound)] = level * word_sound
    samples += level * 0.25 * 10 ** (-rng.uniform(15, 40) / 20) * rng.normal(size=RATE)
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)


def clips(split: str) -> Iterator[tuple[np.ndarray, str]]:
    """(samples, word) of a split, the words in turn."""
    first = sum(VOICES[each] for each in list(SIZES)[: list(SIZES).index(split)])
    for number in range(SIZES[split]):
        word = WORDS[number % len(WORDS)]
        yield clip(word, first + number // len(WORDS) % VOICES[split], number), word


class SpeechSample(tfds.core.GeneratorBasedBuilder):
    """Synthesised words, of which pairs differ in the order of their sounds only."""

    VERSION = tfds.core.Version("1.0.1")

    def _info(self) -> tfds.core.DatasetInfo:
        audio = tfds.features.Tensor(shape=[None], dtype=tf.int16, encoding="bytes")
        features = {"audio": audio, "label": tfds.features.ClassLabel(names=WORDS)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, (samples, word) in enumerate(clips(split)):
            yield number, {"audio": samples, "label": word}
