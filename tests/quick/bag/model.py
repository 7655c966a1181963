"""The mean of the token vectors, a hidden layer, classes."""

import keras
from keras import ops

from rnnsuite.app import Model
from rnnsuite.core.section import Positive, section
from rnnsuite.tasks import classification


@section
class ModelConfig:
    """Sizes."""

    embedding: Positive = 8
    """Width of the token embedding."""
    units: Positive = 8
    """Of the hidden layer."""


def build(config, fitted):
    ids = keras.Input([None], dtype="int32", name="ids")
    x = keras.layers.Embedding(len(fitted.vocabulary), config.embedding, name="embedding")(ids)
    counted = ops.cast(ops.not_equal(ids, 0), "float32")
    weights = counted / ops.maximum(ops.sum(counted, axis=1, keepdims=True), 1.0)
    mean = ops.sum(x * weights[:, :, None], axis=1)
    h = keras.layers.Dense(config.units, "relu", name="hidden")(mean)
    logits = keras.layers.Dense(len(fitted.labels), name="classes")(h)
    return keras.Model(ids, {"logits": logits, "weights": weights}, name="bag")


def loss(config, targets, outputs):
    return classification.loss(targets, outputs["logits"])


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "accuracy": "max"},
)
