"""Another rendering of the same recording: speed, noise and loudness."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnsuite.data import batches
from rnnsuite.inputs.noise import excerpt, noise_bank, power
from rnnsuite.tasks.transcription.losses import needed_steps

from .config import GRAIN, DataConfig


def augment(config: DataConfig, fitted: Any) -> Callable:
    """A function that alters recordings, each property drawn for every recording and epoch.

    Args:
        config: how much speed, noise (at a drawn signal-to-noise ratio) and gain change.
        fitted: gives the samples of a step.

    Returns:
        `(inputs, targets, seed)` to an altered example, which keeps at least as many steps as it
        has symbols need.
    """
    bank = tf.constant(noise_bank(config.source)) if config.noise else None
    hop = fitted.hop

    def altered(inputs, targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 6)
        samples = inputs["samples"][: inputs["steps"] * hop]
        if config.speed:
            factor = _uniform(seeds[0], 1 - config.speed, 1 + config.speed)
            samples = _at_speed(samples, tf.minimum(factor, _fastest(inputs["steps"], targets)))
        if bank is not None:
            part = excerpt(bank, tf.size(samples), seeds[1], seeds[2])
            level = tf.sqrt(power(samples) / power(part))
            amount = level * tf.pow(10.0, -_uniform(seeds[3], *config.snr) / 20)
            samples += part * tf.where(_uniform(seeds[4], 0, 1) < config.noise, amount, 0.0)
        gain = tf.pow(10.0, _uniform(seeds[5], -config.gain, config.gain + 1e-6) / 20)
        samples = tf.clip_by_value(samples * gain, -1.0, 1.0)
        steps = tf.size(samples) // hop
        samples = batches.in_grains(samples[: steps * hop], GRAIN * hop)
        return {"samples": samples, "steps": steps}, {**targets, "steps": steps}

    return altered


def _uniform(seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform([], seed, low, high)


def _fastest(steps: tf.Tensor, targets: dict[str, tf.Tensor]) -> tf.Tensor:
    """The factor at which a step is left for each symbol, and one between equal ones."""
    needed = needed_steps(targets["ids"][None])[0] + 1
    return tf.maximum(tf.cast(steps, tf.float32) / tf.cast(needed, tf.float32), 1e-3)


def _at_speed(samples: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Samples that last 1 / factor as long, pitch moving along.

    By lines between them, which costs a hundredth of a sinc and takes some of the highest
    frequencies away.
    """
    count = tf.cast(tf.cast(tf.size(samples), tf.float32) / factor, tf.int32)
    return tf.image.resize(samples[None, :, None, None], [count, 1])[0, :, 0, 0]
