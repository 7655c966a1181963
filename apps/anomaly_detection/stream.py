"""A model as the parts of a stream: raw values in, the score of every observation out.

Each piece of evidence says of every scored channel how unlike its past an observation is; a tail
turns it into nats, and the nats are added up, as Fisher added the logarithms of independent tests.
"""

import math

import keras
import tensorflow as tf

from rnnsuite.layers import Chain, Parallel, Streamable
from rnnsuite.layers.extremes import Novelty, RunningExtremes, ShortMean
from rnnsuite.layers.running import RunningRatio, RunningTail
from rnnsuite.layers.streamable import StateSpec
from rnnsuite.layers.streaming import Streaming
from rnnsuite.tasks.forecasting.distributions import DISTRIBUTIONS

from .config import ModelConfig
from .data import Fitted

FIRST = 32.0
"""Observations of a series that a network only reads."""
WARM = 100
"""Observations from which evidence counts as unusual or not."""


class Chosen(Streamable):
    """Some of the last axis, perhaps with the negative of all of them behind."""

    def __init__(self, places: tuple[int, ...], both: bool = False):
        self.places = list(places)
        self.both = both

    def stream(self, x, states):
        chosen = tf.gather(x, self.places, axis=-1)
        return (tf.concat([chosen, -chosen], axis=-1) if self.both else chosen), {}


class Surprise(Streamable):
    """How unlikely the network's forecast had made each value: minus the log-likelihood (nats).

    Of scaled values and whether each is observed `[batch, time, 2 channels]` it gives `[batch,
    time, scored]`, NaN where one is missing and for the first ones, which only fill the states.

    Args:
        model: see `model.build`.
        config: gives the distribution.
        fitted: gives the channels.
    """

    def __init__(self, model: keras.Model, config: ModelConfig, fitted: Fitted):
        self.recurrent = Streaming(model.get_layer("recurrent"))
        self.head = model.get_layer("forecast")
        self.distribution = DISTRIBUTIONS[config.distribution]
        self.channels = len(fitted.names)
        self.scored = list(fitted.scored)

    @property
    def states(self) -> dict[str, StateSpec]:
        numbers = StateSpec((self.distribution.size * len(self.scored),))
        return {**self.recurrent.states, "forecast": numbers, "begun": StateSpec(())}

    def stream(self, x, states):
        own = {name: states[name] for name in self.recurrent.states}
        h, after = self.recurrent.stream(x, own)
        forecasts = self.head(h)
        before = tf.concat([states["forecast"][:, None], forecasts[:, :-1]], axis=1)
        time = tf.shape(x)[1]
        steps = states["begun"][:, None] + tf.range(tf.cast(time, tf.float32))
        values = tf.gather(x[..., : self.channels], self.scored, axis=-1)
        observed = tf.gather(x[..., self.channels :], self.scored, axis=-1)
        surprise = -log_likelihood(self.distribution, before, values)
        is_known = (observed > 0) & (steps[..., None] >= FIRST)
        begun = tf.minimum(states["begun"] + tf.cast(time, tf.float32), FIRST)
        new = {"forecast": forecasts[:, -1], "begun": begun}
        return tf.where(is_known, surprise, math.nan), {**after, **new}


def log_likelihood(distribution, numbers: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Of values `[batch, time, scored]` by what a head gave `[batch, time, scored * size]`."""
    parts = tf.split(numbers, distribution.size, axis=-1)
    return distribution(tf.stack(parts, axis=-1), tf.ones([])).log_likelihood(values)


class ReconstructionError(Streamable):
    """The mean squared error of the last scaled values as the network reconstructs them from a few
    numbers, of each scored channel; NaN where the last value is missing.

    Args:
        model: see `model.build`.
        config: gives how far back it goes.
        fitted: gives the channels.
    """

    def __init__(self, model: keras.Model, config: ModelConfig, fitted: Fitted):
        self.recurrent = Streaming(model.get_layer("recurrent"))
        self.code = model.get_layer("code")
        self.head = model.get_layer("reconstruction")
        self.span = config.span
        self.channels = len(fitted.names)
        self.scored = list(fitted.scored)

    @property
    def states(self) -> dict[str, StateSpec]:
        recent = StateSpec((self.span - 1, len(self.scored)))
        own = {"recent": recent, "present": recent} if self.span > 1 else {}
        return {**self.recurrent.states, **own}

    def stream(self, x, states):
        own = {name: states[name] for name in self.recurrent.states}
        h, after = self.recurrent.stream(x, own)
        guesses = self.head(self.code(h))
        values = tf.gather(x[..., : self.channels], self.scored, axis=-1)
        observed = tf.gather(x[..., self.channels :], self.scored, axis=-1)
        is_known = observed > 0
        if self.span > 1:
            values = tf.concat([states["recent"], values], axis=1)
            observed = tf.concat([states["present"], observed], axis=1)
            after |= {"recent": values[:, 1 - self.span :], "present": observed[:, 1 - self.span :]}
        error = reconstruction_error(guesses, values, observed, self.span)
        return tf.where(is_known, error, math.nan), after


def reconstruction_error(
    guesses: tf.Tensor, values: tf.Tensor, observed: tf.Tensor, span: int
) -> tf.Tensor:
    """Mean squared errors of the last `span` values, at every step.

    Args:
        guesses: `[batch, time, span * scored]`, the latest first.
        values, observed: `[batch, span - 1 + time, scored]`.
        span: values that are reconstructed.

    Returns:
        `[batch, time, scored]`.
    """
    time = tf.shape(guesses)[1]
    errors = 0.0
    counts = 0.0
    for back, guess in enumerate(tf.split(guesses, span, axis=-1)):
        begin = span - 1 - back
        part = slice(begin, begin + time)
        errors += tf.square(guess - values[:, part]) * observed[:, part]
        counts += observed[:, part]
    return errors / tf.maximum(counts, 1.0)


class Sum(Streamable):
    """Adds the evidence of every channel: `[batch, time, pieces * scored]` to `[..., scored]`.

    Args:
        scored: channels.
        cap: nats of one piece at most; one that is missing counts as 0.
    """

    def __init__(self, scored: int, cap: float):
        self.scored = scored
        self.cap = cap

    def stream(self, x, states):
        capped = tf.where(tf.math.is_finite(x), tf.minimum(x, self.cap), tf.zeros_like(x))
        return tf.add_n(tf.split(capped, x.shape[-1] // self.scored, axis=-1)), {}


def scores(model: keras.Model, config: ModelConfig, fitted: Fitted) -> Chain:
    """Raw values `[batch, time, channels]` to nats of the scored ones `[batch, time, scored]`.

    Args:
        model: the network.
        config: gives the evidence and its tail.
        fitted: gives the channels.
    """
    count = len(fitted.scored)
    pieces: dict[str, Streamable] = {}
    channels = 0
    surprise: dict[str, Streamable] = {}
    for name in config.evidence:
        if name in ("forecast", "sustained"):
            surprise[name] = ShortMean(count, config.short if name == "sustained" else 1)
            channels += count
        elif name == "reconstruction":
            error = ReconstructionError(model, config, fitted)
            pieces[name] = Chain(scale=fitted.scale(), error=error)
            channels += count
        elif name == "novelty":
            for steps in config.neighbours:
                memory = max(config.recent, steps * config.pool)
                pieces[f"{name}_{steps}"] = Chain(
                    chosen=Chosen(fitted.scored),
                    mean=ShortMean(count, config.pool),
                    novelty=Novelty(count, steps, memory, config.pool),
                )
                channels += count
        else:
            steps = config.short if name == "mean" else 1
            mean = ShortMean(2 * count, steps)
            pieces[name] = Chain(chosen=Chosen(fitted.scored, both=True), mean=mean)
            channels += 2 * count
    if surprise:
        pieces["surprise"] = Chain(
            scale=fitted.scale(),
            surprise=Surprise(model, config, fitted),
            means=Parallel(**surprise),
        )
    parts: dict[str, Streamable] = {"evidence": Parallel(**pieces)}
    if config.tail == "extremes":
        parts["tail"] = RunningExtremes(channels, config.largest, max(WARM, config.largest))
    elif config.tail == "ratio":
        parts["tail"] = RunningRatio(
            channels, config.short, fitted.memory, config.resolution, warm=WARM
        )
    elif config.tail == "likelihood":
        parts["tail"] = RunningTail(channels, fitted.memory, WARM)
    return Chain(**parts, sum=Sum(count, config.cap))
