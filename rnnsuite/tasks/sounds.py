"""Sounds in a few numbers, for the cheap models that stand beside."""

import numpy as np
import tensorflow as tf

from rnnsuite.inputs import audio, waveform

PARTS = 8
"""Equal parts of a sound whose mean log-mel energies are taken."""


def in_parts(content: bytes, features: audio.LogMel, hop: int) -> np.ndarray:
    """The logarithm of a sound's length, and the mean spectrum of its eight parts.

    Args:
        content: of a WAV file.
        features: of samples.
        hop: samples of a step.

    Returns:
        `[1 + 8 bins]`.
    """
    samples = waveform.whole(tf.constant(content), hop)
    frames = features(samples[None])[0].numpy()
    frames = np.repeat(frames, max(-(-PARTS // len(frames)), 1), axis=0)  # no part is empty
    parts = [part.mean(axis=0) for part in np.array_split(frames, PARTS)]
    return np.concatenate([[np.log(len(samples))], *parts])
