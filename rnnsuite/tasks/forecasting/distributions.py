"""Distributions of the next value, whose parameters a network gives (DeepAR, arXiv 1704.04110).

Each is a class with a `size`, the numbers that the network gives of a step, and `mean`,
`log_likelihood` and `quantile`. Values and parameters are those of a scaled window; what a count
needs of the scale itself comes as `scale`. Draws are quantiles at levels that are drawn, so that
the same levels give the same values wherever they are computed.
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

SMALLEST = 1e-4
"""Of a standard deviation."""
FREEDOM = 2.5
"""The least degrees of freedom: with 2 or fewer there is no variance."""
STEPS = 48
"""Of a bisection: float32 has no more to tell."""


class Gaussian:
    """The normal distribution."""

    size = 2

    def __init__(self, numbers: tf.Tensor, scale: tf.Tensor):
        """Takes numbers `[..., size]` and the windows' scale `[...]`, which broadcasts."""
        self.mean, spread = tf.unstack(numbers, axis=-1)
        self.deviation = tf.nn.softplus(spread) + SMALLEST

    def log_likelihood(self, truth: tf.Tensor) -> tf.Tensor:
        """Logarithm of the density at a value (nats)."""
        distance = (truth - self.mean) / self.deviation
        constant = 0.5 * math.log(2 * math.pi)
        return -0.5 * tf.square(distance) - tf.math.log(self.deviation) - constant

    def quantile(self, level: tf.Tensor) -> tf.Tensor:
        """The value below which a share `level` lies; both broadcast."""
        return self.mean + self.deviation * normal_quantile(level)


class StudentT:
    """Student's t distribution, with location, scale and degrees of freedom: heavy tails."""

    size = 3

    def __init__(self, numbers: tf.Tensor, scale: tf.Tensor):
        """Takes numbers `[..., size]` and the windows' scale `[...]`, which broadcasts."""
        self.mean, spread, freedom = tf.unstack(numbers, axis=-1)
        self.width = tf.nn.softplus(spread) + SMALLEST
        self.freedom = tf.nn.softplus(freedom) + FREEDOM

    def log_likelihood(self, truth: tf.Tensor) -> tf.Tensor:
        """Logarithm of the density at a value (nats)."""
        distance = (truth - self.mean) / self.width
        half = (self.freedom + 1) / 2
        constant = log_gamma(half) - log_gamma(self.freedom / 2)
        constant -= 0.5 * tf.math.log(math.pi * self.freedom) + tf.math.log(self.width)
        return constant - half * tf.math.log(1 + tf.square(distance) / self.freedom)

    def quantile(self, level: tf.Tensor) -> tf.Tensor:
        """The value below which a share `level` lies; both broadcast."""
        return self.mean + self.width * student_quantile(level, self.freedom)


class NegativeBinomial:
    """Counts whose variance exceeds their mean: mean m, variance m + a m^2 (DeepAR, section 3.1).

    Windows are scaled by their mean absolute value and not centred; the network's mean is m / scale
    and its dispersion a times the square root of the scale.
    """

    size = 2

    def __init__(self, numbers: tf.Tensor, scale: tf.Tensor):
        """Takes numbers `[..., size]` and the windows' scale `[...]`, which broadcasts."""
        self.scale = scale
        mean, spread = tf.unstack(numbers, axis=-1)
        self.mean = tf.nn.softplus(mean)
        self.expected = scale * self.mean + SMALLEST
        dispersion = tf.nn.softplus(spread) / tf.sqrt(scale) + SMALLEST
        self.successes = 1 / dispersion

    def log_likelihood(self, truth: tf.Tensor) -> tf.Tensor:
        """Logarithm of the probability of a count (nats); the truth is a count over the scale."""
        count = truth * self.scale
        total = self.successes + self.expected
        ways = (
            tf.math.lgamma(count + self.successes)
            - tf.math.lgamma(count + 1)
            - tf.math.lgamma(self.successes)
        )
        return (
            ways
            + self.successes * tf.math.log(self.successes / total)
            + count * tf.math.log(self.expected / total)
        )

    def quantile(self, level: tf.Tensor) -> tf.Tensor:
        """The least count, over the scale, with at least a share `level` at or below it."""
        shape = tf.broadcast_dynamic_shape(tf.shape(self.expected), tf.shape(level))
        successes, expected, level = (
            tf.broadcast_to(value, shape) for value in (self.successes, self.expected, level)
        )
        chance = successes / (successes + expected)
        deviation = tf.sqrt(expected + tf.square(expected) / successes)
        # Chebyshev's inequality, one-sided: beyond it is less than what lies above the level.
        high = expected + deviation / tf.sqrt(1 - level) + 1
        low = -tf.ones_like(high)
        for _ in range(STEPS):
            middle = tf.floor((low + high) / 2)
            is_enough = tf.math.betainc(successes, middle + 1, chance) >= level
            is_enough &= middle > low
            high = tf.where(is_enough, middle, high)
            low = tf.where(is_enough, low, tf.maximum(middle, low))
        return tf.math.ceil(high) / self.scale


DISTRIBUTIONS = {
    "gaussian": Gaussian,
    "student": StudentT,
    "negative_binomial": NegativeBinomial,
}


def log_gamma(x: tf.Tensor) -> tf.Tensor:
    """The logarithm of the gamma function, by operations that devices have.

    Stirling's series at x + 6 (Abramowitz & Stegun, 6.1.41), to a relative 1e-6 in float32.

    Args:
        x: at least 0.5.
    """
    product = x * (x + 1) * (x + 2) * (x + 3) * (x + 4) * (x + 5)
    y = x + 6
    series = (y - 0.5) * tf.math.log(y) - y + 0.5 * math.log(2 * math.pi)
    inverse = 1 / y
    correction = inverse * (1 / 12 - tf.square(inverse) * (1 / 360 - tf.square(inverse) / 1260))
    return series + correction - tf.math.log(product)


def normal_quantile(level: tf.Tensor) -> tf.Tensor:
    """That of the standard normal distribution, by operations that devices have.

    The approximation of the inverse error function by M. Giles (GPU Computing Gems, 2010) for
    float32, to a relative 1e-6.

    Args:
        level: between 0 and 1.

    Returns:
        Quantiles of the same shape.
    """
    level = tf.convert_to_tensor(level, tf.float32)
    w = -tf.math.log(tf.maximum(4 * level * (1 - level), 1e-30))
    factor = tf.where(
        w < 5, _polynomial(CENTRE, w - 2.5), _polynomial(TAIL, tf.sqrt(tf.maximum(w, 5.0)) - 3)
    )
    return math.sqrt(2) * factor * (2 * level - 1)


def student_quantile(level: tf.Tensor, freedom: tf.Tensor) -> tf.Tensor:
    """That of Student's t distribution, by operations that devices have.

    Algorithm 396 of G. W. Hill (CACM 1970), to a relative 1e-4 for the degrees of freedom here.

    Args:
        level: between 0 and 1.
        freedom: degrees of freedom, at least `FREEDOM`; both broadcast.

    Returns:
        Quantiles.
    """
    level = tf.convert_to_tensor(level, tf.float32)
    both = 2 * tf.minimum(level, 1 - level)
    a = 1 / (freedom - 0.5)
    b = 48 / tf.square(a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * tf.sqrt(a * math.pi / 2) * freedom
    y = tf.pow(d * both, 2 / freedom)
    x = normal_quantile(both / 2)
    square = tf.square(x)
    c_few = c + 0.3 * (freedom - 4.5) * (x + 0.6)
    c = tf.where(freedom < 5, c_few, c)
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    normal = ((((0.4 * square + 6.3) * square + 36) * square + 94.5) / c - square - 3) / b + 1
    normal = tf.math.expm1(a * tf.square(normal * x))
    tail = 1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3)
    tail = (tail + 0.5 / (freedom + 4)) * y - 1
    tail = tail * (freedom + 1) / (freedom + 2) + 1 / y
    size = tf.sqrt(freedom * tf.where(y > 0.05 + a, normal, tail))
    return tf.where(level < 0.5, -size, size)


def between(quantiles: tf.Tensor, levels: Sequence[float], wanted: tf.Tensor) -> tf.Tensor:
    """Quantiles of other levels, in proportion between their neighbours.

    Args:
        quantiles: `[..., levels]`, rising.
        levels: of them, rising.
        wanted: levels `[wanted]`; beyond the first or the last one, its quantile is given.

    Returns:
        `[..., wanted]`.
    """
    if len(levels) == 1:
        return tf.gather(quantiles, tf.zeros_like(wanted, tf.int32), axis=-1)
    places = tf.constant(levels, tf.float32)
    # Devices can count, but not search.
    is_below = tf.cast(places[None, :] < wanted[:, None], tf.int32)
    high = tf.clip_by_value(tf.reduce_sum(is_below, axis=1), 1, len(levels) - 1)
    start = tf.gather(places, high - 1)
    end = tf.gather(places, high)
    share = tf.clip_by_value((wanted - start) / (end - start), 0.0, 1.0)
    below, above = (tf.gather(quantiles, place, axis=-1) for place in (high - 1, high))
    # Its own quantile to the last digit, where a level is one of training's.
    return tf.where(share < 1.0, below + (above - below) * share, above)


def drawn_levels(paths: int, horizon: int, seed: int = 0) -> np.ndarray:
    """Levels at which values are drawn: in each step one in every equal part of 0 to 1.

    Latin hypercube sampling (McKay et al., 1979): quantiles over the paths vary less than those of
    independent draws.

    Args:
        paths: draws of a step.
        horizon: steps.
        seed: of their order.

    Returns:
        float32 `[paths, horizon]`.
    """
    rng = np.random.default_rng(seed)
    places = np.stack([rng.permutation(paths) for _ in range(horizon)], axis=1)
    return ((places + 0.5) / paths).astype(np.float32)


CENTRE = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087)
CENTRE += (-0.00125372503, -0.00417768164, 0.246640727, 1.50140941)
TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773)
TAIL += (-0.0076224613, 0.00943887047, 1.00167406, 2.83297682)


def _polynomial(coefficients: tuple[float, ...], x: tf.Tensor) -> tf.Tensor:
    """Horner's scheme, the highest power first."""
    value = tf.fill(tf.shape(x), tf.constant(coefficients[0], tf.float32))
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value
