"""A window beside its last value, recurrent layers, the quantiles of all steps at once."""

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.layers import Dropout, Pooling, Stack

from .config import ModelConfig

LEVELS = (0.1, 0.5, 0.9)
"""Of the quantiles."""


def build(config, fitted):
    """A model from series [batch, past, columns] to `quantiles` [batch, horizon, columns, 3] of
    what follows, over each column's deviation.
    """
    columns = len(fitted.deviation)
    series = keras.Input([fitted.past, columns], name="series")
    scaled = series / keras.ops.array([fitted.deviation])
    last = scaled[:, -1:]
    h = Stack(config.cell, config.units, config.depth, dropout=config.dropout, name="recurrent")(
        scaled - last
    )
    summary = Dropout(config.dropout)(Pooling("last", name="summary")(h))
    numbers = keras.layers.Dense(fitted.horizon * columns * 3, dtype="float32", name="forecast")
    parts = keras.layers.Reshape([fitted.horizon, columns, 3])(numbers(summary))
    middle = parts[..., 0] + last
    # Distances to the median are positive: quantiles never cross.
    low, high = (keras.ops.softplus(parts[..., place]) for place in (1, 2))
    quantiles = keras.ops.stack([middle - low, middle, middle + high], axis=-1)
    return keras.Model(series, {"quantiles": quantiles}, name="__NAME__")


def loss(config, targets, outputs):
    """The quantile loss (Koenker & Bassett 1978) over each column's deviation, of each row."""
    error = targets[..., None] - outputs["quantiles"]
    level = tf.constant(LEVELS)
    return {"loss": tf.reduce_mean(tf.maximum(level * error, (level - 1) * error), axis=[1, 2, 3])}


MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics={"loss": "min"})
