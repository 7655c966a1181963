"""Another performance of the same action: cut, faster or slower, turned, larger, less exact."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .config import DataConfig


def augment(config: DataConfig, fitted: Any) -> Callable:
    """A function that alters clips, each property drawn for every clip and epoch.

    Args:
        config: how much.
        fitted: gives joints and deviations.

    Returns:
        `(values, targets, seed)` to an altered example.
    """
    spread = tf.constant(fitted.spread, tf.float32)

    def altered(values, targets, seed):
        seeds = tf.random.split(tf.cast(seed, tf.int32), 5)
        values = tf.ensure_shape(values, [None, fitted.width])
        if config.crop or config.speed:
            values = _resampled(config, values, seeds[0], fitted.hop)
        if config.turn and fitted.joints:
            angle = _uniform(seeds[1], -config.turn, config.turn) * math.pi / 180
            values = turned(values, fitted.joints, angle)
        if config.tilt and not fitted.joints:
            values = tilted(values, config.tilt * math.pi / 180, seeds[4])
        if config.gain:
            values = values * _uniform(seeds[2], 1 - config.gain, 1 + config.gain)
        if config.noise:
            values += config.noise * spread * tf.random.stateless_normal(tf.shape(values), seeds[3])
        return values, {**targets, "steps": tf.shape(values)[0] // fitted.hop}

    return altered


def _uniform(seed: tf.Tensor, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform([], seed, low, high + 1e-9)


def _resampled(config: DataConfig, values: tf.Tensor, seed: tf.Tensor, least: int) -> tf.Tensor:
    """A part of the clip at another speed, lines drawn between its frames."""
    draws = tf.random.stateless_uniform([3], seed)
    last = tf.cast(tf.shape(values)[0] - 1, tf.float32)
    begin = draws[0] * config.crop * last
    end = last - draws[1] * config.crop * last
    factor = 1 - config.speed + 2 * config.speed * draws[2]
    count = tf.maximum(tf.cast(tf.round((end - begin) / factor), tf.int32) + 1, least)
    places = tf.linspace(begin, end, count)
    first = tf.cast(tf.floor(places), tf.int32)
    share = (places - tf.cast(first, tf.float32))[:, None]
    after = tf.gather(values, tf.minimum(first + 1, tf.shape(values)[0] - 1))
    before = tf.gather(values, first)
    # Where the later frame has no number, the earlier one's stands.
    return tf.where(tf.math.is_finite(after), (1 - share) * before + share * after, before)


def turned(values: tf.Tensor, joints: int, angle: tf.Tensor) -> tf.Tensor:
    """A skeleton turned about its second axis.

    Args:
        values: `[frames, joints * coordinates]`; of two coordinates nothing is turned.
        joints: of a body.
        angle: in radians.
    """
    width = values.shape[-1]
    coordinates = width // joints
    if coordinates < 3:
        return values
    points = tf.reshape(values, [-1, joints, coordinates])
    x, y, z, *rest = tf.unstack(points, axis=-1)
    cos = tf.cos(angle)
    sin = tf.sin(angle)
    # About the body's own place, not the camera's.
    known = tf.math.is_finite(x) & tf.math.is_finite(z)

    def middle(column):
        count = tf.maximum(tf.reduce_sum(tf.cast(known, tf.float32)), 1.0)
        return tf.reduce_sum(tf.where(known, column, 0.0)) / count

    dx = x - middle(x)
    dz = z - middle(z)
    moved = [cos * dx + sin * dz + middle(x), y, cos * dz - sin * dx + middle(z), *rest]
    return tf.reshape(tf.stack(moved, axis=-1), [-1, width])


def tilted(values: tf.Tensor, largest: float, seed: tf.Tensor) -> tf.Tensor:
    """Sensors of three axes each, all turned alike about an axis that is drawn.

    Args:
        values: `[frames, 3 sensors]`.
        largest: radians, either way.
        seed: draws axis and angle.

    Raises:
        ValueError: for sensors of other than three axes.
    """
    width = values.shape[-1]
    if width % 3:
        raise ValueError(f"data.tilt: {width} numbers of a frame are not sensors of three axes")
    seeds = tf.random.split(seed, 2)
    axis = tf.random.stateless_normal([3], seeds[0])
    x, y, z = tf.unstack(axis / tf.norm(axis))
    angle = tf.random.stateless_uniform([], seeds[1], -largest, largest)
    zero = tf.zeros([])
    cross = tf.reshape(tf.stack([zero, -z, y, z, zero, -x, -y, x, zero]), [3, 3])
    # Rodrigues' rotation formula.
    turn = tf.eye(3) + tf.sin(angle) * cross + (1 - tf.cos(angle)) * (cross @ cross)
    return tf.reshape(tf.reshape(values, [-1, 3]) @ turn, [-1, width])
