"""Background noise: a source's own, or synthesised, and pieces of it to be added to sound."""

import functools
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rnnsuite.device import wave
from rnnsuite.inputs import sound_files

FOLDER = "_background_noise_"
"""Where a source has its own."""
SECONDS = 10
"""Length of a stretch of noise."""
SLOPES = (0.0, 0.5, 1.0, 0.75)
"""Spectral slopes of synthesised noise: white, pink, brown, and one between with hum."""
HUM_HERTZ = 50


@functools.lru_cache(maxsize=2)
def noise_bank(source: str) -> np.ndarray:
    """Background noise at 16 kHz.

    Args:
        source: the data source. What lies in its _background_noise_ folder is taken; without one,
            white, pink, brown and hum are synthesised, each also in gusts.

    Returns:
        `[stretches, samples]` of ten seconds each.
    """
    length = SECONDS * wave.RATE
    blocks = [block for file in _files(source) for block in sound_files.blocks(file, length)]
    return np.stack(blocks or list(_synthesised(length))).astype(np.float32)


def _files(source: str) -> list[pathlib.Path]:
    root = pathlib.Path(source).expanduser()
    if not root.is_dir():
        return []
    folders = root.glob(f"**/{FOLDER}")
    files = [file for folder in folders for file in folder.iterdir()]
    return sorted(file for file in files if file.suffix in sound_files.SUFFIXES)


def _synthesised(length: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / wave.RATE), 20)
    for slope in SLOPES:
        for has_gusts in (False, True):
            spectrum = np.fft.rfft(rng.normal(size=length)) / hertz**slope
            noise = np.fft.irfft(spectrum)
            if slope == SLOPES[-1]:
                noise = noise / noise.std() + 0.5 * _hum(length, rng)
            if has_gusts:
                steps = rng.normal(size=41).repeat(length // 40)[:length]
                noise = noise * np.exp(np.convolve(steps, np.hanning(8000) / 4000, "same"))
            yield 0.1 * noise / noise.std()


def _hum(length: int, rng: np.random.Generator) -> np.ndarray:
    times = np.arange(length) / wave.RATE
    angle = 2 * np.pi * HUM_HERTZ * times
    return sum(np.sin(angle * k + rng.uniform(0, 6)) / k for k in range(1, 12))


def excerpt(
    bank: tf.Tensor, count: int | tf.Tensor, row_seed: tf.Tensor, start_seed: tf.Tensor
) -> tf.Tensor:
    """A piece of noise, drawn; silence follows where a stretch is shorter.

    Args:
        bank: see `noise_bank`.
        count: samples wanted.
        row_seed, start_seed: from which its stretch and its place are drawn.

    Returns:
        `[count]`.
    """
    length = bank.shape[1]
    row = tf.random.stateless_uniform([], row_seed, 0, bank.shape[0], tf.int32)
    room = tf.maximum(length - count, 1)
    start = tf.random.stateless_uniform([], start_seed, 0, room, tf.int32)
    return tf.pad(bank[row, start : start + count], [[0, tf.maximum(count - length, 0)]])


def power(samples: tf.Tensor) -> tf.Tensor:
    """The mean square of samples, above 0."""
    return tf.reduce_mean(tf.square(samples)) + 1e-8
