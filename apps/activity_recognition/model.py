"""Frames to steps, and two recurrent heads: one sees the whole clip, one sees it as it comes."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Direction, Model
from rnnsuite.layers import Chain, CumulativePooling, Dropout, LockedDropout, Pooling, Stack
from rnnsuite.layers.frames import Frames
from rnnsuite.layers.missing import FillMissing, StepMask
from rnnsuite.layers.skeleton import Skeleton
from rnnsuite.layers.spectrum import Spectrum
from rnnsuite.tasks import classification

from .config import ModelConfig
from .data import Fitted

FRONT = ("features", "unit", "frames", "spectrum")
"""Layers that both heads have in common, in their order."""


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives what a frame holds, what a step is, and classes.

    Returns:
        A model from values `[batch, frames, numbers]`, NaN where one is missing, to a dict:
        `logits` `[batch, classes]` and attention `weights` `[batch, steps]` of the whole clip;
        `so_far` `[batch, steps, classes]`, the logits of what was seen up to each step, and `last`
        `[batch, classes]`, those of the clip's last one. Frames of zeros alone, such as padding, or
        without any number, are skipped.
    """
    values = keras.Input([None, fitted.width], name="values")
    mask = StepMask(fitted.hop, name="mask")(values)
    x = values
    for layer in _front(fitted):
        x = layer(x)
    x = LockedDropout(config.input_dropout)(x)
    body = _hierarchy(config, fitted, x, mask) if config.part_units and fitted.parts else x
    whole = _recurrent(config, body, mask)
    attention = Pooling("attentive", return_weights=True, name="attention")
    attended, weights = attention(whole, mask=mask)
    pooled = [Pooling(kind, name=f"pooled_{kind}")(whole, mask=mask) for kind in config.pooling]
    vector = keras.layers.Concatenate(name="pooled")([attended, *pooled]) if pooled else attended
    classes = len(fitted.labels)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(
        Dropout(config.head_dropout)(vector)
    )
    h = keras.layers.Dense(config.projection, activation="relu", name="stream_projection")(x)
    h = LockedDropout(config.dropout)(h)
    h = Stack(
        config.cell,
        config.stream_units,
        config.stream_depth,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="stream",
    )(h)
    h = Dropout(config.head_dropout)(CumulativePooling(name="stream_pooling")(h))
    so_far = keras.layers.Dense(classes, dtype="float32", name="stream_classes")(h)
    last = Pooling("last", dtype="float32", name="last")(so_far, mask=mask)
    outputs = {"logits": logits, "weights": weights, "so_far": so_far, "last": last}
    return keras.Model(values, outputs, name="activity_recognition")


def _front(fitted: Fitted) -> list[keras.layers.Layer]:
    """The layers from values to steps."""
    width = len(fitted.mean)
    layers: list[keras.layers.Layer] = []
    if fitted.joints:
        body = (fitted.joints, fitted.root, fitted.bones, fitted.smooth)
        layers.append(_exact(Skeleton, "features", *body))
    elif fitted.scaling == "length":
        layers.append(_exact(FillMissing, "features", [0.0] * width))
        layers.append(_exact(keras.layers.UnitNormalization, "unit"))
    else:
        layers.append(_exact(FillMissing, "features", fitted.mean))
    moments = (fitted.mean, fitted.deviation)
    layers.append(_exact(Frames, "frames", fitted.hop, fitted.context, *moments))
    if fitted.spectrum:
        samples = (fitted.context + 1) * fitted.hop
        layers.append(_exact(Spectrum, "spectrum", samples, width))
    return layers


def _exact(kind: type, name: str, *options: Any) -> keras.layers.Layer:
    """A layer in float32, whatever the model's precision."""
    return kind(*options, dtype="float32", name=name)


def _hierarchy(config: ModelConfig, fitted: Fitted, x, mask):
    """Each part of the body by itself, then each beside the trunk (HBRNN: Du, Wang & Wang, CVPR
    2015), side by side.
    """
    columns = len(fitted.mean) // fitted.joints
    frames = (fitted.context + 1) * fitted.hop
    width = frames * len(fitted.mean)
    shape = (-1, frames, fitted.joints, columns)
    by_joint = keras.layers.Reshape(shape, name="by_joint")(x[..., :width])
    parts = []
    for number, joints in enumerate(fitted.parts):
        part = ops.take(by_joint, list(joints), axis=3)
        flat = keras.layers.Reshape((-1, frames * len(joints) * columns))(part)
        parts.append(_part(config, f"part_{number}", flat, mask))
    trunk, *limbs = parts
    beside = [
        _part(config, f"beside_{number}", ops.concatenate([trunk, limb], axis=-1), mask)
        for number, limb in enumerate(limbs, 1)
    ]
    return ops.concatenate(beside or [trunk], axis=-1)


def _part(config: ModelConfig, name: str, x, mask):
    h = Stack(config.cell, config.part_units, bidirectional=True, name=name)(x, mask=mask)
    return LockedDropout(config.dropout)(h)


def _recurrent(config: ModelConfig, x, mask):
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(x)
    x = LockedDropout(config.dropout)(x)
    return Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="recurrent",
    )(x, mask=mask)


def shares(config: ModelConfig, outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Probabilities of a whole clip's classes `[batch, classes]`, by both heads."""
    whole = tf.nn.softmax(outputs["logits"])
    if not config.stream_share:
        return whole
    last = tf.nn.softmax(outputs["last"])
    return (1 - config.stream_share) * whole + config.stream_share * last


def causal(model: keras.Model) -> Chain:
    """The stream's layers, fed some steps' frames at a time."""
    parts = [layer.name for layer in model.layers if layer.name in FRONT]
    names = [*parts, "stream_projection", "stream", "stream_pooling", "stream_classes"]
    return Chain(**{name: model.get_layer(name) for name in names})


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) of whole clips and of what a stream says at every step, and correctness.

    Later steps count more: their weights rise in proportion to their number.

    Args:
        config: gives label smoothing and the stream's weight.
        targets: see `data.examples`.
        outputs: of the model.

    Returns:
        Values `[batch]` by the names in METRICS.
    """
    label = targets["label"]
    values = classification.loss(label, outputs["logits"], config.label_smoothing)
    so_far = outputs["so_far"]
    time = tf.shape(so_far)[1]
    numbers = tf.tile(label[:, None], [1, time])
    steps = tf.range(1, time + 1)
    within = steps <= targets["steps"][:, None]
    weights = tf.cast(tf.where(within, steps, 0), tf.float32)
    entropy = classification.cross_entropy(numbers, so_far, config.label_smoothing)
    total = tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)
    stream_loss = tf.reduce_sum(entropy * weights, axis=1) / total
    return {
        "loss": values["loss"] + config.stream_weight * stream_loss,
        "accuracy": classification.is_correct(shares(config, outputs), label),
        "whole_loss": values["loss"],
        "stream_loss": stream_loss,
        "stream_accuracy": classification.is_correct(outputs["last"], label),
    }


METRICS: Mapping[str, Direction] = {
    "loss": "min",
    "accuracy": "max",
    "whole_loss": "min",
    "stream_loss": "min",
    "stream_accuracy": "max",
}
MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics=METRICS)
