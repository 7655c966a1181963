"""Steps of samples, and two recurrent stacks: one reads both ways, one as it comes."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Direction, Model
from rnnsuite.layers import Chain, Dropout, LockedDropout, Stack
from rnnsuite.layers.frames import Frames

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives channels, classes, and what a step is.

    Returns:
        A model from samples `[batch, time * hop, channels]` to a dict of logits: `whole` `[batch,
        time, outputs]`, of both directions, and `stream` `[batch, time - look_ahead, outputs]`, of
        what is read up to each step and `look_ahead` more. Outputs are the background and the
        classes, or the classes alone where several can be at once.
    """
    samples = keras.Input([None, len(fitted.mean)], name="samples")
    frames = Frames(
        fitted.hop, fitted.context, fitted.mean, fitted.deviation, fitted.memory, name="frames"
    )
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(frames(samples))
    x = LockedDropout(config.dropout)(x)
    outputs = len(fitted.classes) + config.exclusive
    whole = Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        name="recurrent",
    )(x)
    stream = Stack(
        config.cell, config.stream_units, config.stream_depth, dropout=config.dropout, name="stream"
    )(x)
    logits = {}
    for name, h in (("whole", whole), ("stream", stream)):
        head = keras.layers.Dense(outputs, dtype="float32", name=f"{name}_classes")
        logits[name] = head(Dropout(config.dropout)(h))
    logits["stream"] = logits["stream"][:, fitted.look_ahead :]
    return keras.Model(samples, logits, name="event_detection")


def causal(model: keras.Model) -> Chain:
    """The stream's layers, fed some steps' samples at a time."""
    return Chain(
        frames=model.get_layer("frames"),
        projection=model.get_layer("projection"),
        stream=model.get_layer("stream"),
        classes=model.get_layer("stream_classes"),
    )


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) of every step of both stacks, and their sum.

    Args:
        config: gives the weight of boundaries, and whether classes are exclusive.
        targets: see `data.examples`.
        outputs: of the model.

    Returns:
        Values `[batch]` by the names in METRICS.
    """
    active = targets["active"]
    weights = targets["weight"] * (1 + config.boundary * _beside_boundaries(active))
    whole = _cross_entropy(config, active, outputs["whole"], weights)
    time = tf.shape(outputs["stream"])[1]
    stream = _cross_entropy(config, active[:, :time], outputs["stream"], weights[:, :time])
    return {"loss": whole + stream, "whole_loss": whole, "stream_loss": stream}


def _beside_boundaries(active: tf.Tensor) -> tf.Tensor:
    """1 in the steps before and behind a change `[batch, time]`, otherwise 0."""
    changed = tf.reduce_max(tf.abs(active[:, 1:] - active[:, :-1]), axis=-1)
    return tf.maximum(tf.pad(changed, [[0, 0], [0, 1]]), tf.pad(changed, [[0, 0], [1, 0]]))


def _cross_entropy(config: ModelConfig, active, logits, weights) -> tf.Tensor:
    if config.exclusive:
        # Of several classes at once, the first in their order.
        number = tf.where(
            tf.reduce_any(active > 0, axis=-1),
            1 + tf.argmax(active, axis=-1, output_type=tf.int32),
            0,
        )
        values = tf.nn.sparse_softmax_cross_entropy_with_logits(number, logits)
    else:
        values = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(active, logits), axis=-1)
    total = tf.reduce_sum(values * weights, axis=1)
    return total / tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)


METRICS: Mapping[str, Direction] = {"loss": "min", "whole_loss": "min", "stream_loss": "min"}
MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics=METRICS)
