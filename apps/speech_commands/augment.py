"""Another rendering of the same clip: speed, shift, noise and loudness."""

from collections.abc import Callable

import tensorflow as tf

from rnnsuite.device import wave
from rnnsuite.inputs import waveform
from rnnsuite.inputs.noise import excerpt, noise_bank, power

from .config import DataConfig
from .examples import Fitted, targets


def augment(config: DataConfig, fitted: Fitted) -> Callable:
    """A function that alters clips, each property drawn for every clip and epoch.

    Args:
        config: how much speed, time, noise (at a drawn signal-to-noise ratio) and gain change.
        fitted: gives the length of a clip.

    Returns:
        `(samples, targets, seed)` to an altered example.
    """
    bank = tf.constant(noise_bank(config.source)) if config.noise else None
    count = fitted.clip_samples

    def uniform(seed, low, high):
        return tf.random.stateless_uniform([], seed, low, high)

    def altered(samples, clip_targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 7)
        span = clip_targets["span"]
        if config.speed:
            rate = uniform(seeds[0], (1 - config.speed) * wave.RATE, (1 + config.speed) * wave.RATE)
            samples = waveform.interpolate(samples, tf.cast(rate, tf.int32), count, half_width=4)
            span = span * wave.RATE / rate
        if config.shift:
            offset = uniform(seeds[1], -config.shift, config.shift) * wave.RATE
            samples, span = _shifted(samples, span, offset)
        if bank is not None:
            part = excerpt(bank, count, seeds[2], seeds[3])
            first = tf.cast(tf.minimum(span, count - 1), tf.int32)[0]
            last = tf.cast(span, tf.int32)[1]
            level = tf.sqrt(power(samples[first : last + 1]) / power(part))
            amount = level * tf.pow(10.0, -uniform(seeds[4], *config.snr) / 20)
            samples += part * tf.where(uniform(seeds[5], 0, 1) < config.noise, amount, 0.0)
        gain = tf.pow(10.0, uniform(seeds[6], -config.gain, config.gain + 1e-6) / 20)
        samples = tf.ensure_shape(tf.clip_by_value(samples * gain, -1.0, 1.0), [count])
        return samples, targets(fitted, clip_targets["label"], span)

    return altered


def _shifted(samples: tf.Tensor, span: tf.Tensor, offset: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Moved to later, or earlier for a negative offset; silence comes in."""
    offset = tf.cast(offset, tf.int32)
    count = tf.size(samples)
    padded = tf.pad(samples, [[tf.maximum(offset, 0), tf.maximum(-offset, 0)]])
    samples = padded[tf.maximum(-offset, 0) :][:count]
    span = span + tf.cast(offset, tf.float32)
    return samples, tf.clip_by_value(span, 0.0, tf.cast(count, tf.float32))
