"""Clips of background noise alone, which are a class."""

import numpy as np
import tensorflow as tf

from rnnsuite.device import wave
from rnnsuite.inputs.noise import noise_bank

from .config import DataConfig

SILENCE = "_silence_"


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
