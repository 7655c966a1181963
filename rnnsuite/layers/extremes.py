"""What a stream has not seen before, chunk by chunk: extreme values, and new ones."""

import math

import tensorflow as tf

from rnnsuite.layers.streamable import StateSpec, Streamable

SMALLEST = 1e-3
"""Of what a value exceeds the largest before it by, beside the deviation of all: less is none, and
values that are nearly constant have no tail to be measured by."""
ROUNDING = 1e-6
"""Of the same, beside the size of the values: float32 tells no less apart."""
TINY = 1e-9
"""Of the same, beside values of 0."""
LARGEST = 1e15
"""Of a value's size: larger ones count as much, and its square is still finite."""
FAR = 1e36
"""Farther than any of these squares: stands for what is missing."""


class ShortMean(Streamable):
    """The mean of the last values: `[batch, time, channels]` to the same shape.

    NaN where the value itself is missing; other missing ones do not count.

    Args:
        channels: of values.
        steps: values in a mean.
    """

    def __init__(self, channels: int, steps: int):
        self.channels = channels
        self.steps = steps

    @property
    def states(self) -> dict[str, StateSpec]:
        shape = (self.steps - 1, self.channels)
        return {"recent": StateSpec(shape), "present": StateSpec(shape)} if self.steps > 1 else {}

    def stream(self, x, states):
        values, flags = _known(x)
        if self.steps == 1:
            return tf.where(flags > 0, values, math.nan), {}
        recent = tf.concat([states["recent"], values], axis=1)
        present = tf.concat([states["present"], flags], axis=1)
        count = tf.maximum(_sums(present, self.steps), 1.0)
        means = tf.where(flags > 0, _sums(recent, self.steps) / count, math.nan)
        after = {"recent": recent[:, 1 - self.steps :], "present": present[:, 1 - self.steps :]}
        return means, after


class Novelty(Streamable):
    """How far the last values are from the most similar ones before them: `[batch, time, channels]`
    to the same shape, in the unit of the values.

    A distance to the nearest neighbour (Burnaev & Ishimtsev, arXiv 1608.04585), root mean squared
    over the values. NaN where a value of them is missing, or none was before them.

    Args:
        channels: of values.
        steps: values that are compared together.
        memory: steps back to which neighbours are looked for.
        apart: steps from one of these values to the next.

    Raises:
        ValueError: for a memory of fewer steps than are compared.
    """

    def __init__(self, channels: int, steps: int, memory: int, apart: int = 1):
        if not 1 <= steps * apart <= memory:
            raise ValueError(f"steps must be from 1 to memory = {memory}, not {steps * apart}")
        self.channels = channels
        self.steps = steps
        self.memory = memory
        self.apart = apart
        # Behind the memory stand the values that are compared with the new one.
        self.size = memory + (steps - 1) * apart

    @property
    def states(self) -> dict[str, StateSpec]:
        shape = (self.size, self.channels)
        return {"recent": StateSpec(shape), "present": StateSpec(shape)}

    def stream(self, x, states):
        values, flags = _known(x)
        recent = states["recent"]
        present = states["present"]
        if x.shape[1] == 1:  # without a loop
            distance = self._distance(values[:, 0], flags[:, 0], recent, present)[:, None]
            recent = tf.concat([recent[:, 1:], values], axis=1)
            present = tf.concat([present[:, 1:], flags], axis=1)
            return distance, {"recent": recent, "present": present}
        time = tf.shape(x)[1]
        recent = tf.concat([recent, values], axis=1)
        present = tf.concat([present, flags], axis=1)
        distances = tf.TensorArray(x.dtype, time, element_shape=x[:, 0].shape)

        def step(place, distances):
            before = slice(place, place + self.size)
            distance = self._distance(
                values[:, place], flags[:, place], recent[:, before], present[:, before]
            )
            return place + 1, distances.write(place, distance)

        _, distances = tf.while_loop(
            lambda place, _: place < time, step, (0, distances), maximum_iterations=time
        )
        after = {"recent": recent[:, -self.size :], "present": present[:, -self.size :]}
        return tf.transpose(distances.stack(), [1, 0, 2]), after

    def _distance(self, value, flag, recent, present):
        """Of a value `[batch, channels]` and those just before it to the most similar ones."""
        squares = tf.zeros([1, 1, self.channels])
        comparable = flag[:, None]
        for back in range(self.steps):
            lag = back * self.apart
            own = value if back == 0 else recent[:, -lag]
            own_flag = flag if back == 0 else present[:, -lag]
            # Neighbours end before the values that are compared begin.
            first = (self.steps - 1) * self.apart - lag
            place = slice(first, self.memory - self.apart - lag + 1)
            squares += tf.square(own[:, None] - recent[:, place])
            comparable *= own_flag[:, None] * present[:, place]
        nearest = tf.reduce_min(tf.where(comparable > 0, squares, FAR), axis=1)
        distance = tf.sqrt(nearest / self.steps)
        return tf.where(nearest < FAR, distance, tf.fill(tf.shape(distance), math.nan))


class RunningExtremes(Streamable):
    """How unlikely it is that a value is so large, beside all before it: minus the logarithm of its
    upper tail, of every channel, in nats: `[batch, time, channels]` to the same shape.

    The tail is exponential from the least of the `count` largest values so far on (peaks over a
    threshold: Siffer et al., KDD 2017, of shape 0), so that its share of all falls as the stream
    goes on. 0 below it, as long as fewer than `warm` values are known, and where one is missing.

    Args:
        channels: of values, NaN where one is missing.
        count: of largest values that are kept.
        warm: values that must be known, at least `count`.

    Raises:
        ValueError: for fewer than 2 largest values, or more than warm.
    """

    def __init__(self, channels: int, count: int = 40, warm: int = 100):
        if not 2 <= count <= warm:
            raise ValueError(f"count must be from 2 to warm = {warm}, not {count}")
        self.channels = channels
        self.count = count
        self.warm = warm

    @property
    def states(self) -> dict[str, StateSpec]:
        shape = (self.channels,)
        return {
            "largest": StateSpec((self.channels, self.count)),
            "known": StateSpec(shape),
            "mean": StateSpec(shape),
            "squares": StateSpec(shape),
        }

    def stream(self, x, states):
        values, flags = _known(x)
        observed = flags > 0
        if x.shape[1] == 1:  # without a loop
            tail, after = self._step(values[:, 0], observed[:, 0], states)
            return tail[:, None], after
        time = tf.shape(x)[1]
        tails = tf.TensorArray(x.dtype, time, element_shape=x[:, 0].shape)
        names = list(self.states)

        def step(place, before, tails):
            tail, after = self._step(
                values[:, place], observed[:, place], dict(zip(names, before, strict=True))
            )
            return place + 1, tuple(after[name] for name in names), tails.write(place, tail)

        begin = tuple(states[name] for name in names)
        _, end, tails = tf.while_loop(
            lambda place, *_: place < time, step, (0, begin, tails), maximum_iterations=time
        )
        return tf.transpose(tails.stack(), [1, 0, 2]), dict(zip(names, end, strict=True))

    def _step(self, value, observed, states):
        """The tail of values `[batch, channels]`, and the states after them."""
        largest = states["largest"]
        values_before = states["known"]
        least = largest[..., -1]
        excess = tf.reduce_sum(largest - least[..., None], axis=-1)
        deviation = tf.sqrt(states["squares"] / tf.maximum(values_before, 1.0))
        smallest = SMALLEST * deviation + ROUNDING * tf.abs(least) + TINY
        scale = tf.maximum(excess / (self.count - 1), smallest)
        nats = tf.math.log(tf.maximum(values_before, 1.0) / self.count) + (value - least) / scale
        is_extreme = observed & (values_before >= self.warm) & (value - least > smallest)
        # Before so many are known, the places that are left hold what any value exceeds.
        places = tf.range(self.count, dtype=value.dtype)
        filled = tf.where(places < values_before[..., None], largest, -FAR)
        candidates = tf.concat([filled, tf.where(observed, value, -FAR)[..., None]], axis=-1)
        after = tf.math.top_k(candidates, self.count).values
        added = tf.cast(observed, value.dtype)
        count = values_before + added
        step = (value - states["mean"]) * added
        mean = states["mean"] + step / tf.maximum(count, 1.0)
        return tf.where(is_extreme, nats, tf.zeros_like(nats)), {
            "largest": tf.where(after > -FAR, after, tf.zeros_like(after)),
            "known": count,
            "mean": mean,
            "squares": states["squares"] + step * (value - mean),
        }


class Rising(Streamable):
    """A score where it is larger than all of the last ones, otherwise 0: `[batch, time, 1]`.

    So that what goes on is said once.

    Args:
        steps: for which a score silences those that are not larger.
    """

    def __init__(self, steps: int):
        self.steps = steps

    @property
    def states(self) -> dict[str, StateSpec]:
        return {"recent": StateSpec((self.steps, 1))} if self.steps else {}

    def stream(self, x, states):
        if not self.steps:
            return x, {}
        whole = tf.concat([states["recent"], x], axis=1)
        before = tf.nn.max_pool1d(whole[:, :-1], self.steps, 1, "VALID")
        return tf.where(x > before, x, tf.zeros_like(x)), {"recent": whole[:, -self.steps :]}


def _known(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Values of which missing ones are 0, and 1 where there is one, otherwise 0."""
    observed = tf.math.is_finite(x)
    values = tf.where(observed, tf.clip_by_value(x, -LARGEST, LARGEST), tf.zeros_like(x))
    return values, tf.cast(observed, x.dtype)


def _sums(x: tf.Tensor, count: int) -> tf.Tensor:
    """Of every `count` neighbours along time: shorter by count - 1."""
    length = tf.shape(x)[1] - count + 1
    return tf.add_n([x[:, place : place + length] for place in range(count)])
