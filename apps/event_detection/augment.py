"""How training windows are altered."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from .config import DataConfig


def augment(config: DataConfig, fitted: Any):
    """Windows that are larger or smaller, faster or slower, with noise."""
    deviation = tf.constant(fitted.deviation, tf.float32)
    mean = tf.constant(fitted.mean, tf.float32)

    def altered(samples, targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 3)
        if config.speed:
            factor = tf.random.stateless_uniform([], seeds[2], 1 - config.speed, 1 + config.speed)
            samples, targets = faster(samples, targets, factor, fitted.hop)
        gain = tf.random.stateless_uniform([], seeds[0], 1 - config.gain, 1 + config.gain)
        noise = tf.random.stateless_normal(tf.shape(samples), seeds[1]) * deviation * config.noise
        return mean + gain * (samples - mean) + noise, targets

    return altered


def faster(
    samples: tf.Tensor, targets: Mapping[str, tf.Tensor], factor: tf.Tensor, hop: int
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """A window at another speed; where it ends too early, its last sample stays, of weight 0.

    Args:
        samples: `[time * hop, channels]`, between which lines are drawn.
        targets: see `examples`.
        factor: above 1 it is faster.
        hop: samples of a step.
    """
    count = tf.shape(samples)[0]
    places = tf.minimum(tf.range(count, dtype=tf.float32) * factor, tf.cast(count - 1, tf.float32))
    first = tf.cast(places, tf.int32)
    share = (places - tf.cast(first, tf.float32))[:, None]
    after = tf.gather(samples, tf.minimum(first + 1, count - 1))
    changed = (1 - share) * tf.gather(samples, first) + share * after
    steps = tf.range(count // hop, dtype=tf.float32)
    middles = (steps * hop + hop // 2) * factor
    step = tf.cast(middles, tf.int32) // hop
    is_within = tf.cast(step < count // hop, tf.float32)
    step = tf.minimum(step, count // hop - 1)
    moved = {name: tf.gather(target, step) for name, target in targets.items()}
    return changed, {**moved, "weight": moved["weight"] * is_within}
