"""Background noise: the source's own, or synthesised; and clips of noise alone."""

import functools
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rnnsuite.device import wave
from rnnsuite.inputs import sound_files

from .config import DataConfig

SILENCE = "_silence_"
FOLDER = "_background_noise_"
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


def silence(config: DataConfig, split: str, count: int) -> tf.data.Dataset:
    """Records of noise alone, at -70 to -20 dB of full scale, the same for the same split."""
    bank = noise_bank(config.source)
    samples = round(config.clip_seconds * wave.RATE)
    rng = np.random.default_rng([ord(letter) for letter in split])
    contents = []
    for _ in range(count):
        row = bank[rng.integers(len(bank))]
        part = np.resize(np.roll(row, rng.integers(len(row))), samples)
        level = 10 ** (rng.uniform(-70, -20) / 20)
        contents.append(wave.write(level * part / max(float(part.std()), 1e-4)))
    return tf.data.Dataset.from_tensor_slices({"audio": contents, "label": [SILENCE] * count})
