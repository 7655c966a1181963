"""A long recording through a network that reads both ways, in windows as long as training's."""

from collections.abc import Callable

import tensorflow as tf


def in_windows(
    network: Callable[[tf.Tensor], tf.Tensor], samples: tf.Tensor, hop: int, length: int
) -> tf.Tensor:
    """What a network says of every step, from the window in whose middle the step is nearest.

    Windows overlap by half. A recording that is not longer than one is read at once.

    Args:
        network: samples `[windows, time * hop, channels]` to `[windows, time, outputs]`.
        samples: `[batch, time * hop, channels]`.
        hop: samples of a step.
        length: steps of a window.

    Returns:
        `[batch, time, outputs]`.
    """
    batch = tf.shape(samples)[0]
    steps = tf.shape(samples)[1] // hop
    size = tf.minimum(steps, length)
    stride = tf.maximum(size // 2, 1)
    count = -(-(steps - size) // stride) + 1
    starts = tf.minimum(tf.range(count) * stride, steps - size)
    places = starts[:, None] * hop + tf.range(size * hop)
    cut = tf.gather(samples, places, axis=1)
    channels = samples.shape[-1]
    outputs = network(tf.reshape(cut, [batch * count, size * hop, channels]))
    width = outputs.shape[-1]
    outputs = tf.reshape(outputs, [batch, count * size, width])
    step = tf.range(steps)
    middles = starts + size // 2
    # The first window whose middle is nearest.
    number = tf.searchsorted((middles[1:] + middles[:-1]) // 2, step, side="left")
    return tf.gather(outputs, number * size + step - tf.gather(starts, number), axis=1)
