"""Pixels to places, recurrent sweeps over them, attentive pooling, classes."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Model
from rnnsuite.core.errors import UserError
from rnnsuite.layers import Dropout, Pooling, Stack, Sweeps, residual_network
from rnnsuite.tasks import classification

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives size and classes.

    Returns:
        A model from `image` `[batch, size, size, 3]` of 0 to 255 to `logits` `[batch, classes]` and
        attention `weights` `[batch, rows, columns]` (of whole rows `[batch, rows, 1]`).

    Raises:
        UserError: for patches that do not fill the picture.
    """
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    places = Dropout(config.dropout)(_places(config, fitted, image))
    read = _read(config, places)
    _, rows, columns, width = read.shape
    flat = keras.layers.Reshape((rows * columns, width), name="places")(read)
    kind = "mean" if config.reader == "mean" else "attentive"
    pooled, weights = Pooling(kind, return_weights=True, name="attention")(flat)
    pooled = Dropout(config.head_dropout)(pooled)
    logits = keras.layers.Dense(len(fitted.labels), dtype="float32", name="classes")(pooled)
    weights = keras.layers.Reshape((rows, columns), name="weights")(weights)
    return keras.Model(image, {"logits": logits, "weights": weights}, name="object_recognition")


def _places(config: ModelConfig, fitted: Fitted, image):
    """`[batch, rows, columns, features]`."""
    if config.filters:
        return residual_network(fitted.size, config.filters, config.blocks, config.drop_path)(image)
    side = config.patch
    if fitted.size % side:
        raise UserError(f"model.patch: {side} does not divide the {fitted.size} of data.size.")
    count = fitted.size // side
    x = keras.layers.Rescaling(1 / 127.5, -1)(image)
    x = keras.layers.Reshape((count, side, count, side, 3))(x)
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return keras.layers.Reshape((count, count, side * side * 3), name="patches")(x)


def _read(config: ModelConfig, places):
    """Places that know of each other `[batch, rows, columns or 1, features]`."""
    if config.reader == "mean":
        return places
    if config.reader == "rows":
        _, rows, columns, width = places.shape
        x = keras.layers.Reshape((rows, columns * width))(places)
        x = Stack(
            config.cell,
            config.units,
            config.depth,
            bidirectional=True,
            dropout=config.dropout,
            name="recurrent",
        )(x)
        return keras.layers.Reshape((rows, 1, 2 * config.units))(x)
    for number in range(config.depth):
        if number:
            places = Dropout(config.dropout)(places)
        places = Sweeps(config.cell, config.units, name=f"sweeps_{number}")(places)
    return places


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) and correctness of each picture; targets are class numbers `[batch]`."""
    return classification.loss(targets, outputs["logits"], config.label_smoothing)


MODEL = Model(
    config=ModelConfig, build=build, loss=loss, metrics={"loss": "min", "accuracy": "max"}
)
