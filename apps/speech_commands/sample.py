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

RATE = 16_000
SIZES = {"train": 1200, "validation": 240, "test": 400}
VOICES = {"train": 60, "validation": 20, "test": 20}
WORDS = ("asi", "isa", "amu", "uma", "eko", "oke", "ilo", "oli")

_HOP = 128
_FFT = 512
_TONES = {  # formants (Hz), and how much of the sound is voice and how much is noise
    "a": ((730, 1090, 2440), 1.0, 0.0),
    "e": ((530, 1840, 2480), 1.0, 0.0),
    "i": ((270, 2290, 3010), 1.0, 0.0),
    "o": ((570, 840, 2410), 1.0, 0.0),
    "u": ((300, 870, 2240), 1.0, 0.0),
    "m": ((250, 1000, 2200), 0.35, 0.0),
    "l": ((360, 1300, 2700), 0.5, 0.0),
    "s": ((4500, 5500, 6500), 0.0, 0.5),
    "k": ((1500, 2500, 3500), 0.0, 0.5),
}
# Vowels: Peterson & Barney 1952 (men's means).


def _spans(word: str, rate: float, rng: np.random.Generator) -> list[tuple[str, float]]:
    """(sound, seconds) of a word; a plosive has a silence on either side of its burst, so that time
    can be reversed.
    """
    vowel = {sound: rng.uniform(0.1, 0.2) * rate for sound in "aeiou"}
    spans = []
    for sound in word:
        if sound == "k":
            spans += [("", 0.03 * rate), ("k", 0.03 * rate), ("", 0.03 * rate)]
        else:
            spans.append((sound, vowel.get(sound, 0.11 * rate)))
    return spans


def _tracks(
    word: str, voice: np.random.Generator, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Formants `[frames, 3]`, voice and noise `[frames]`, smoothed as an articulation is."""
    tract = voice.uniform(0.88, 1.18)
    rate = rng.uniform(0.8, 1.25)
    formants = []
    voiced = []
    noise = []
    last = _TONES[word[0]][0]
    for sound, seconds in _spans(word, rate, rng):
        tones, of_voice, of_noise = _TONES.get(sound, (last, 0.0, 0.0))
        count = max(round(seconds * RATE / _HOP), 1)
        last = tones
        formants += [np.multiply(tones, tract * rng.uniform(0.96, 1.04, 3))] * count
        voiced += [of_voice] * count
        noise += [of_noise] * count
    kernel = np.hanning(7)[1:-1] / np.hanning(7).sum()

    def smooth(track):
        return np.convolve(np.pad(track, 2, mode="edge"), kernel, "valid")

    tracks = np.stack([smooth(each) for each in np.array(formants).T], axis=1)
    return tracks, smooth(np.array(voiced)), smooth(np.array(noise))


def speak(word: str, voice: np.random.Generator, rng: np.random.Generator) -> np.ndarray:
    """One utterance, peak 1: glottal pulses and noise, shaped by formants (Fant 1960)."""
    formants, voiced, noise = _tracks(word, voice, rng)
    count = len(voiced) * _HOP + _FFT
    pitch = voice.uniform(85, 230) * (1 + 0.1 * rng.uniform(-1, 1) * np.linspace(-1, 1, count))
    phase = np.cumsum(
        pitch * (1 + 0.01 * np.cumsum(rng.normal(size=count)) / np.sqrt(count)) / RATE
    )
    pulses = np.diff(np.floor(phase), prepend=0.0) * 6
    sources = [pulses, rng.normal(size=count) * 0.3]
    at = np.arange(0, RATE / 2 + 1, RATE / _FFT)[None, :, None]
    width = 60 + 0.06 * formants[:, None, :]
    shape = (1 / (1 + ((at - formants[:, None, :]) / width) ** 2) * np.array([1.0, 0.6, 0.35])).sum(
        axis=2
    )
    window = np.hanning(_FFT + 1)[:-1]
    pieces = [np.lib.stride_tricks.sliding_window_view(each, _FFT)[::_HOP] for each in sources]
    mixed = sum(
        part[:, None] * piece[: len(voiced)]
        for part, piece in zip((voiced, noise), pieces, strict=True)
    )
    shaped = np.fft.irfft(np.fft.rfft(mixed * window) * shape) * window
    sound = overlap_add(shaped, _HOP)
    return sound / np.abs(sound).max()


def overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    """The sum of frames `[frames, samples]`, each begun `hop` samples behind the one before."""
    count, width = frames.shape
    sound = np.zeros(count * hop + width)
    for number, frame in enumerate(frames):
        sound[number * hop : number * hop + width] += frame
    return sound


def clip(word: str, voice: int, number: int) -> np.ndarray:
    """One second with a word in it, at -20 to -3 dB of full scale, over noise 15 to 40 dB lower."""
    rng = np.random.default_rng([zlib.crc32(word.encode()), voice, number])
    word_sound = speak(word, np.random.default_rng(voice), rng)[: RATE - 800]
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

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        audio = tfds.features.Tensor(shape=[None], dtype=tf.int16)
        features = {"audio": audio, "label": tfds.features.ClassLabel(names=WORDS)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, (samples, word) in enumerate(clips(split)):
            yield number, {"audio": samples, "label": word}
