"""The offline sample: sentences of a small grammar, spoken by synthetic voices.

A sentence is who does what, such as "amu eko lu asi su uma": its words run into each other, with a
pause here and there, and pairs of them differ only in the order of their sounds. Voices differ in
pitch, vocal tract, rate, loudness and noise; a voice is in one split only. Deterministic.
"""

import dataclasses
import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rnnsuite.data.voices import RATE, speak

SIZES = {"train": 1000, "validation": 120, "test": 240}
VOICES = {"train": 80, "validation": 20, "test": 20}
WHO = ("amu", "uma", "ilo")
VERBS = ("eko", "oke", "sela")
NUMBERS = ("", "lu", "ki")
WHAT = ("asi", "isa", "oli")
WITH = "su"
PAUSE = 0.25
"""Share of borders between words at which the voice pauses."""


@dataclasses.dataclass(frozen=True)
class Spoken:
    """One sentence as it is spoken.

    Args:
        samples: int16 at 16 kHz.
        text: its words.
        voice: whose it is.
        starts, ends: of every word, in seconds.
    """

    samples: np.ndarray
    text: str
    voice: int
    starts: tuple[float, ...]
    ends: tuple[float, ...]


def sentence(rng: np.random.Generator) -> list[str]:
    """Words of a drawn sentence."""
    parts = [WHO, VERBS, NUMBERS, WHAT]
    chosen = [str(rng.choice(part)) for part in parts]
    if rng.random() < 0.4:
        chosen += [WITH, str(rng.choice(WHO))]
    return [word for word in chosen if word]


def spoken(words: list[str], voice: int, number: int) -> Spoken:
    """A sentence in a voice, at -20 to -3 dB of full scale, over noise 15 to 40 dB lower."""
    text = " ".join(words)
    rng = np.random.default_rng([zlib.crc32(text.encode()), voice, number])
    sounds = words[0]
    first = [0]
    for word in words[1:]:
        sounds += " " if rng.random() < PAUSE else ""
        first.append(len(sounds))
        sounds += word
    sound, ends = speak(sounds, np.random.default_rng(voice), rng)
    begins = np.concatenate([[0], ends])
    before, behind = (rng.integers(RATE // 10, RATE // 2) for _ in range(2))
    level = 10 ** (rng.uniform(-20, -3) / 20)
    samples = np.pad(level * sound, (before, behind))
    samples += level * 0.25 * 10 ** (-rng.uniform(15, 40) / 20) * rng.normal(size=len(samples))
    starts = [float(before + begins[place]) / RATE for place in first]
    last = [place + len(word) - 1 for place, word in zip(first, words, strict=True)]
    return Spoken(
        (np.clip(samples, -1, 1) * 32767).astype(np.int16),
        text,
        voice,
        tuple(starts),
        tuple(float(before + ends[place]) / RATE for place in last),
    )


def sentences(split: str) -> Iterator[Spoken]:
    """The sentences of a split, the voices in turn."""
    first = sum(VOICES[name] for name in list(SIZES)[: list(SIZES).index(split)])
    for number in range(SIZES[split]):
        words = sentence(np.random.default_rng([zlib.crc32(split.encode()), number]))
        yield spoken(words, first + number % VOICES[split], number)


class SentencesSample(tfds.core.GeneratorBasedBuilder):
    """Sentences of a small grammar, spoken by synthetic voices, each in one split only."""

    VERSION = tfds.core.Version("1.0.1")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "speech": tfds.features.Tensor(shape=[None], dtype=tf.int16, encoding="bytes"),
            "text": tfds.features.Text(),
            "speaker_id": tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, spoken_sentence in enumerate(sentences(split)):
            record = {
                "id": f"{split}_{number}",
                "speech": spoken_sentence.samples,
                "text": spoken_sentence.text,
                "speaker_id": f"voice_{spoken_sentence.voice}",
            }
            yield number, record
