"""Scaling, recurrent layers in both directions, a class for every step."""

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.layers import Dropout, Stack

from .config import ModelConfig
from .data import BACKGROUND


def build(config, fitted):
    """A model from series [batch, steps, numbers] to `logits` [batch, steps, 1 + labels], the
    background first; steps of zeros alone, such as padding, are skipped.
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
    classes = keras.layers.Dense(1 + len(fitted.labels), dtype="float32", name="classes")
    logits = classes(Dropout(config.dropout)(h))
    return keras.Model(series, {"logits": logits}, name="__NAME__")


def loss(config, targets, outputs):
    """Cross-entropy and the share of steps whose class is right, of each row."""
    own = tf.cast(targets > 0, tf.float32)
    numbers = tf.maximum(targets - BACKGROUND, 0)
    logits = outputs["logits"]
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, logits)
    right = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == numbers, tf.float32)
    steps = tf.maximum(tf.reduce_sum(own, axis=1), 1.0)
    return {
        "loss": tf.reduce_sum(nats * own, axis=1) / steps,
        "accuracy": tf.reduce_sum(right * own, axis=1) / steps,
    }


MODEL = Model(
    config=ModelConfig, build=build, loss=loss, metrics={"loss": "min", "accuracy": "max"}
)
