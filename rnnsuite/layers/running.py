"""Means and deviations of a stream so far, and what is unusual beside them, chunk by chunk.

Both forget: an observation `memory` steps ago counts half as much as one now. Both begin with
nothing and are unbiased from the first observation on.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from rnnsuite.layers.streamable import StateSpec, Streamable

SMALLEST = 1e-3
"""Of a deviation, beside the size of its mean: a constant has no deviation to be measured by."""
TINY = 1e-8
"""Of a deviation beside a mean of 0."""
FARTHEST = 100.0
"""Deviations from the mean up to which a value moves it: an enormous one moves it no more."""
FIRST = 10
"""Observations up to which every value moves the mean as far as it is away."""
ERFC = (
    0.17087277,
    -0.82215223,
    1.48851587,
    -1.13520398,
    0.27886807,
    -0.18628806,
    0.09678418,
    0.37409196,
    1.00002368,
    -1.26551223,
)
"""Of the Chebyshev fit to the complementary error function, relative error below 1.2e-7 everywhere
(Press et al., Numerical Recipes in C, 2nd edition, section 6.2)."""


class Moments(NamedTuple):
    """What is known of a stream's values up to a step, each `[..., channels]`.

    Args:
        filled: share of the memory that observations fill, from 0 to 1.
        mean, variance: of them, the later ones counting more.
    """

    filled: tf.Tensor
    mean: tf.Tensor
    variance: tf.Tensor

    def deviation(self) -> tf.Tensor:
        """The standard deviation, not smaller than can be told from rounding."""
        least = SMALLEST * tf.abs(self.mean) + TINY
        return tf.maximum(tf.sqrt(self.variance), least)

    def has(self, count: int, memory: float) -> tf.Tensor:
        """Whether so many observations are known, of at least one."""
        return self.filled > 1 - 0.5 ** ((count - 0.5) / memory)

    def after(self, x: tf.Tensor, observed: tf.Tensor, memory: float) -> "Moments":
        """One step later (West, Communications of the ACM 22(9), 1979, with forgotten weights).

        Args:
            x: `[..., channels]`, finite.
            observed: of the same shape, whether there is an observation; nothing changes without.
            memory: steps after which an observation counts half.
        """
        kept = 0.5 ** (1 / memory)
        filled = kept * self.filled + (1 - kept)
        gain = tf.where(observed, (1 - kept) / filled, 0.0)
        farthest = FARTHEST * self.deviation()
        near = tf.clip_by_value(x - self.mean, -farthest, farthest)
        distance = tf.where(self.has(FIRST, memory), near, x - self.mean)
        return Moments(
            tf.where(observed, filled, self.filled),
            self.mean + gain * distance,
            (1 - gain) * (self.variance + gain * tf.square(distance)),
        )


def moments_before(
    x: tf.Tensor, observed: tf.Tensor, begin: Moments, memory: float
) -> tuple[Moments, Moments]:
    """What is known before each step of a chunk, and after the last.

    Args:
        x: `[batch, time, channels]`, finite.
        observed: of the same shape, bool.
        begin: before the chunk, `[batch, channels]` each.
        memory: see `Moments.after`.

    Returns:
        Moments `[batch, time, channels]` and `[batch, channels]`.
    """
    if x.shape[1] == 1:  # without a loop
        end = begin.after(x[:, 0], observed[:, 0], memory)
        return Moments(*(part[:, None] for part in begin)), end
    time = tf.shape(x)[1]
    arrays = [tf.TensorArray(part.dtype, time, element_shape=part.shape) for part in begin]

    def step(place, moments, arrays):
        arrays = [array.write(place, part) for array, part in zip(arrays, moments, strict=True)]
        after = Moments(*moments).after(x[:, place], observed[:, place], memory)
        return place + 1, tuple(after), arrays

    _, end, arrays = tf.while_loop(
        lambda place, *_: place < time, step, (0, tuple(begin), arrays), maximum_iterations=time
    )
    before = [tf.transpose(array.stack(), [1, 0, 2]) for array in arrays]
    return Moments(*before), Moments(*end)


def _specs(channels: int) -> dict[str, StateSpec]:
    return {name: StateSpec((channels,)) for name in Moments._fields}


def _moments(states: Mapping[str, tf.Tensor]) -> Moments:
    return Moments(*(states[name] for name in Moments._fields))


class RunningScale(Streamable):
    """Values beside the mean and deviation of those before them, and which are observed.

    Of `[batch, time, channels + more]` it gives `[batch, time, 2 channels + more]`: scaled values;
    1 where there is one and another before it, or else 0, as the scaled value is then; and what
    stands behind the channels as it is.

    Args:
        channels: of values, NaN or infinite where one is missing.
        memory: steps after which an observation counts half.
        largest: scaled values are between its negative and it.
    """

    def __init__(self, channels: int, memory: float, largest: float = 10.0):
        self.channels = channels
        self.memory = memory
        self.largest = largest

    @property
    def states(self) -> dict[str, StateSpec]:
        return _specs(self.channels)

    def stream(self, x, states):
        values = x[..., : self.channels]
        unscaled = x[..., self.channels :]
        observed = tf.math.is_finite(values)
        values = tf.where(observed, values, tf.zeros_like(values))
        before, end = moments_before(values, observed, _moments(states), self.memory)
        scaled = (values - before.mean) / before.deviation()
        is_known = observed & before.has(1, self.memory)
        scaled = tf.where(is_known, scaled, tf.zeros_like(scaled))
        scaled = tf.clip_by_value(scaled, -self.largest, self.largest)
        output = tf.concat([scaled, tf.cast(is_known, tf.float32), unscaled], axis=-1)
        return output, end._asdict()


class RunningTail(Streamable):
    """How unlikely it is that the last values are so large, beside those before them: minus the
    logarithm of a normal distribution's upper tail (anomaly likelihood: Ahmad et al.,
    Neurocomputing 262, 2017, section 3.2), of every channel, in nats.

    Behind `rnnsuite.layers.extremes.ShortMean` it is that of the mean of the last values, as in the
    paper. 0 as long as fewer than `warm` are known, and where the value is missing.

    Args:
        channels: of values, NaN where one is missing.
        memory: steps after which a value counts half.
        warm: steps that must be known.
    """

    def __init__(self, channels: int, memory: float, warm: int = 30):
        self.channels = channels
        self.memory = memory
        self.warm = warm

    @property
    def states(self) -> dict[str, StateSpec]:
        return _specs(self.channels)

    def stream(self, x, states):
        observed = tf.math.is_finite(x)
        values = tf.where(observed, x, tf.zeros_like(x))
        before, end = moments_before(values, observed, _moments(states), self.memory)
        distance = (values - before.mean) / before.deviation()
        is_warm = before.has(self.warm, self.memory)
        tail = -log_upper_tail(distance)
        return tf.where(is_warm & observed, tail, tf.zeros_like(tail)), end._asdict()


class RunningRatio(Streamable):
    """How many times their mean in the long run the last values are, of every channel.

    Both are means whose values count less, the older they are. 0 as long as fewer than `warm`
    values are known, and where one is missing.

    Args:
        channels: of values, at least 0, NaN where one is missing.
        short, memory: steps after which a value counts half in the one mean and the other.
        resolution: what is added to the long one: a value of which nothing is made.
        warm: steps that must be known.
    """

    def __init__(
        self,
        channels: int,
        short: float,
        memory: float,
        resolution: float = 0.0,
        warm: int = 30,
    ):
        self.channels = channels
        self.short = short
        self.memory = memory
        self.resolution = resolution
        self.warm = warm

    @property
    def states(self) -> dict[str, StateSpec]:
        specs = _specs(self.channels)
        return {
            f"{part}_{name}": spec for part in ("short", "long") for name, spec in specs.items()
        }

    def stream(self, x, states):
        observed = tf.math.is_finite(x)
        values = tf.where(observed, x, tf.zeros_like(x))
        begin = {
            part: Moments(*(states[f"{part}_{name}"] for name in Moments._fields))
            for part in ("short", "long")
        }
        short, short_end = moments_before(values, observed, begin["short"], self.short)
        long, long_end = moments_before(values, observed, begin["long"], self.memory)
        # The last value belongs to the short mean.
        recent = tf.concat([short.mean[:, 1:], short_end.mean[:, None]], axis=1)
        ratio = recent / (long.mean + self.resolution + TINY)
        is_warm = long.has(self.warm, self.memory)
        ends = {"short": short_end, "long": long_end}
        new = {
            f"{part}_{name}": value
            for part, end in ends.items()
            for name, value in end._asdict().items()
        }
        return tf.where(is_warm & observed, ratio, tf.zeros_like(ratio)), new


def log_upper_tail(x: tf.Tensor) -> tf.Tensor:
    """The logarithm of a standard normal distribution's upper tail, by operations that devices
    have, without underflow.

    Args:
        x: of any shape.

    Returns:
        Logarithms of the same shape; 0 for -10 and less.
    """
    size = tf.abs(x) / math.sqrt(2)
    argument = 1 / (1 + 0.5 * size)
    polynomial = tf.zeros_like(argument)
    for coefficient in ERFC:
        polynomial = polynomial * argument + coefficient
    log_tail = tf.math.log(0.5 * argument) - tf.square(size) + polynomial
    return tf.where(x >= 0, log_tail, tf.math.log1p(-tf.exp(log_tail)))
