"""Scaling, recurrent layers in both directions, attentive pooling, classes."""

import keras

from rnnsuite.app import Model
from rnnsuite.layers import Dropout, Pooling, Stack
from rnnsuite.tasks import classification

from .config import ModelConfig


def build(config, fitted):
    """A model from series [batch, steps, numbers] to `logits` [batch, classes] and the attention
    `weights` [batch, steps]; steps of zeros alone, such as padding, are skipped.
    """
    series = keras.Input([None, len(fitted.mean)], name="series")
    mask = keras.ops.any(keras.ops.not_equal(series, 0), axis=-1)
    mean, deviation = (keras.ops.array([values]) for values in (fitted.mean, fitted.deviation))
    scaled = (series - mean) / deviation
    h = Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        name="recurrent",
    )(scaled, mask=mask)
    pooled, weights = Pooling("attentive", return_weights=True, name="attention")(h, mask=mask)
    classes = keras.layers.Dense(len(fitted.labels), dtype="float32", name="classes")
    logits = classes(Dropout(config.dropout)(pooled))
    return keras.Model(series, {"logits": logits, "weights": weights}, name="__NAME__")


def loss(config, targets, outputs):
    """Cross-entropy and whether the answer is right, of each row."""
    return classification.loss(targets, outputs["logits"])


MODEL = Model(
    config=ModelConfig, build=build, loss=loss, metrics={"loss": "min", "accuracy": "max"}
)
