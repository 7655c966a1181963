"""A network of the next value alone, which draws paths into the future (DeepAR, arXiv 1704.04110).

At every step it reads a value and what is known of the step after it, and gives the distribution of
that step's value. In training the values of the horizon are read as they were; in forecasts they
are drawn, many times over, and quantiles are those of the paths.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.core.errors import UserError
from rnnsuite.decoding.step import keep_shapes, write_at
from rnnsuite.layers import Dropout, Stack
from rnnsuite.layers.streaming import Streaming
from rnnsuite.tasks.forecasting.distributions import DISTRIBUTIONS, between, drawn_levels

from .config import ModelConfig
from .data import Fitted


def check(config: ModelConfig, fitted: Fitted) -> None:
    """Raises UserError for several series together, and for windows or series that are none of
    counts where counts are asked for.
    """
    if fitted.together:
        raise UserError("model.kind: autoregressive forecasts each series alone (data.together).")
    if config.distribution != "negative_binomial":
        return
    if (fitted.center, fitted.scale, fitted.power) != ("none", "absolute", 1.0):
        raise UserError(
            "model.distribution: negative_binomial is of counts, which data.center: none, "
            "data.scale: absolute and data.power: 1 leave counts."
        )
    if fitted.no_count:
        raise UserError(
            f"model.distribution: negative_binomial is of counts, and {fitted.no_count} is none."
        )


def numbers(config: ModelConfig, fitted: Fitted, inputs: Mapping[str, Any]) -> Any:
    """What the distributions of the horizon's steps are made of, each told the values before it.

    Args:
        config: sizes and regularisation.
        fitted: gives look-back and horizon.
        inputs: of a window, and `ahead`; see `apps.forecasting.model.build`.

    Returns:
        `[batch, horizon, size of the distribution]`.
    """
    past = ops.stack([inputs["values"], inputs["observed"]], axis=-1)
    x = ops.concatenate([past, inputs["ahead"][:, :-1]], axis=1)
    if fitted.features():
        x = ops.concatenate([x, inputs["features"][:, 1:]], axis=-1)
    stack = Stack(config.cell, config.units, config.depth, dropout=config.dropout, name="recurrent")
    h = stack(x)[:, fitted.lookback - 1 :]
    size = DISTRIBUTIONS[config.distribution].size
    return keras.layers.Dense(size, dtype="float32", name="head")(Dropout(config.dropout)(h))


def paths(
    config: ModelConfig,
    fitted: Fitted,
    model: keras.Model,
    window: Mapping[str, tf.Tensor],
    scale: tf.Tensor,
) -> tf.Tensor:
    """Draws the horizon, step by step, each told the values that were drawn before it.

    Args:
        config: gives the number of paths.
        fitted: gives look-back and horizon.
        model: the network.
        window: `values`, `observed` and `features` of scaled windows.
        scale: of them `[batch, 1]`.

    Returns:
        Scaled values `[batch, paths, horizon]`, rising in every step.
    """
    lookback = fitted.lookback
    features = window.get("features")
    stream = Streaming(model.get_layer("recurrent"))
    head = model.get_layer("head")
    h, states = _read(stream, lookback, window)
    batch = tf.shape(h)[0]
    h, *parts = (tf.repeat(part, config.paths, axis=0) for part in (h, *states.values()))
    scale = tf.repeat(scale[:, 0], config.paths)
    levels = tf.tile(tf.constant(drawn_levels(config.paths, fitted.horizon)), [batch, 1])
    distribution = DISTRIBUTIONS[config.distribution]

    def step(number, h, parts, drawn):
        y = distribution(head(h), scale).quantile(levels[:, number])
        x = tf.stack([y, tf.ones_like(y)], axis=-1)
        if features is not None:
            place = tf.minimum(lookback + number + 1, lookback + fitted.horizon - 1)
            x = tf.concat([x, tf.repeat(features[:, place], config.paths, axis=0)], axis=-1)
        after = stream.step(x, **dict(zip(states, parts, strict=True)))
        drawn = write_at(drawn, number, y)
        return number + 1, after.pop("output"), [after[name] for name in states], drawn

    nothing = tf.zeros([tf.shape(h)[0], fitted.horizon])
    *_, drawn = tf.while_loop(
        lambda number, *_: number < fitted.horizon,
        keep_shapes(step),
        (tf.constant(0), h, parts, nothing),
    )
    return tf.sort(tf.reshape(drawn, [batch, config.paths, fitted.horizon]), axis=1)


def _read(
    stream: Streaming, lookback: int, window: Mapping[str, tf.Tensor]
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """What the network makes of the past: its last output `[batch, units]`, and its states."""
    x = tf.stack([window["values"], window["observed"]], axis=-1)
    if "features" in window:
        x = tf.concat([x, window["features"][:, 1 : lookback + 1]], axis=-1)
    batch = tf.shape(x)[0]
    begin = {
        name: tf.zeros([batch, *spec.shape], spec.dtype) for name, spec in stream.states.items()
    }
    states = stream.chunk(x, **begin)
    return states.pop("output")[:, -1], states


def quantiles(drawn: tf.Tensor, levels: tf.Tensor) -> tf.Tensor:
    """Quantiles over paths.

    Args:
        drawn: `[batch, paths, horizon]`, rising over paths.
        levels: `[levels]`.

    Returns:
        `[batch, horizon, levels]`, between two paths in proportion (Hazen, 1914).
    """
    count = drawn.shape[1]
    middles = [(number + 0.5) / count for number in range(count)]
    return between(tf.transpose(drawn, [0, 2, 1]), middles, levels)
