"""Features, convolutions, and two recurrent heads: one hears the whole clip, one hears it as it
comes.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Direction, Model
from rnnsuite.inputs.audio import HOP, FeatureNormalization, LogMel
from rnnsuite.layers import (
    CausalConvolution,
    Chain,
    Dropout,
    LockedDropout,
    Pooling,
    SpecAugment,
    Stack,
)
from rnnsuite.tasks import classification

from .config import ModelConfig
from .examples import STEP, Fitted

DECISION_STEPS = 10
"""Steps whose mean probability decides what a stream says of a clip: 0.2 s."""


@keras.saving.register_keras_serializable("rnnsuite")
class PrependPreviousRow(keras.layers.Layer):
    """In training, puts the previous row of the batch before each row, along time.

    So a stream never begins with a word. `[batch, time, features]` to `[batch, 2 time, features]`
    in training; otherwise nothing changes.
    """

    def call(self, x_BxTxD, training=False):
        if not training:
            return x_BxTxD
        return ops.concatenate([ops.roll(x_BxTxD, 1, axis=0), x_BxTxD], axis=1)


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network: convolutions and recurrent layers as in arXiv 1703.05390.

    Args:
        config: sizes and regularisation.
        fitted: gives the features and classes.

    Returns:
        A model from samples `[batch, clip_samples]` to a dict: `logits` `[batch, classes]` and
        attention `weights` `[batch, steps]` (arXiv 1808.08929) of the whole clip; `frames` `[batch,
        steps, classes]`, the logits of the stream at every step of 20 ms, with the row before in
        training; `decision` `[batch, classes]`, what the stream says of the clip. The last two are
        left out for features that have no stream.
    """
    samples = keras.Input([fitted.clip_samples], dtype="float32", name="samples")
    x = _front(config, fitted, samples)
    outputs = _clip_head(config, len(fitted.labels), x)
    if config.stream_units and fitted.normalisation != "clip":
        frames = _stream_head(config, len(fitted.labels), x)
        decide = StreamDecision(fitted.background, fitted.clip_samples // STEP, name="decision")
        outputs |= {"frames": frames, "decision": decide(frames)}
    return keras.Model(samples, outputs, name="speech_commands")


def _front(config: ModelConfig, fitted: Fitted, samples):
    """Samples to `[batch, steps, projection]`, a step every 20 ms; none looks ahead."""
    features = LogMel(fitted.bins, fitted.coefficients, dtype="float32", name="features")
    normalise = FeatureNormalization(
        fitted.normalisation, fitted.mean, fitted.deviation, dtype="float32", name="normalised"
    )
    mask = SpecAugment(
        config.freq_masks, config.freq_width, config.time_masks, config.time_width, name="masked"
    )
    x = mask(normalise(features(samples)))
    frames = fitted.clip_samples // HOP
    x = keras.layers.Reshape((frames, features.width, 1), name="planes")(x)
    for number, filters in enumerate(config.channels):
        kernel, strides = ((3, 3), (1, 2)) if number else ((5, 5), (STEP // HOP, 2))
        x = CausalConvolution(filters, kernel, strides, name=f"convolution_{number}")(x)
    steps = fitted.clip_samples // STEP
    x = keras.layers.Reshape((steps, x.shape[2] * x.shape[3]), name="flat")(x)
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(x)
    return LockedDropout(config.dropout, name="dropped")(x)


def _clip_head(config: ModelConfig, classes: int, x) -> dict[str, Any]:
    x = Stack(
        config.cell,
        config.units,
        config.depth,
        config.bidirectional,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="recurrent",
    )(x)
    attended, weights = Pooling("attentive", return_weights=True, name="attention")(x)
    attended = Dropout(config.head_dropout)(attended)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(attended)
    return {"logits": logits, "weights": weights}


def _stream_head(config: ModelConfig, classes: int, x):
    x = PrependPreviousRow(name="with_previous_row")(x)
    x = Stack(
        config.cell,
        config.stream_units,
        config.stream_depth,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="stream",
    )(x)
    x = Dropout(config.head_dropout)(x)
    return keras.layers.Dense(classes, dtype="float32", name="step_classes")(x)


@keras.saving.register_keras_serializable("rnnsuite")
class StreamDecision(keras.layers.Layer):
    """What a stream says of a clip: `[batch, time, classes]` logits to shares `[batch, classes]`.

    Of the last `steps`, the mean probability of the 0.2 s up to the last one in which the
    background has less than one half; of all steps where there is none.
    `rnnsuite.device.events.Detector` names events in the same way.

    Args:
        background: the class that stands for no word; -1 for none.
        steps: of a clip.
    """

    def __init__(self, background: int, steps: int, **options):
        super().__init__(**options)
        self.background = background
        self.steps = steps

    def call(self, frames_BxTxC):
        shares_BxTxC = ops.softmax(frames_BxTxC[:, -self.steps :])
        is_background = ops.arange(frames_BxTxC.shape[-1]) == self.background
        quiet_BxT = ops.sum(ops.where(is_background, shares_BxTxC, 0.0), axis=-1)
        indices = ops.arange(self.steps)
        end_Bx1 = ops.max(ops.where(quiet_BxT <= 0.5, indices + 1, 0), axis=1, keepdims=True)
        counts_BxT = (indices < end_Bx1) & (indices >= end_Bx1 - DECISION_STEPS)
        words_BxTxC = ops.where(counts_BxT[..., None] & ~is_background, shares_BxTxC, 0.0)
        summed = ops.where(end_Bx1 > 0, ops.sum(words_BxTxC, axis=1), ops.sum(shares_BxTxC, axis=1))
        return summed / ops.sum(summed, axis=-1, keepdims=True)

    def get_config(self):
        return {**super().get_config(), "background": self.background, "steps": self.steps}


def stream(model: keras.Model) -> Chain | None:
    """The stream's layers, fed 20 ms at a time; None where the model has no stream."""
    names = [layer.name for layer in model.layers]
    if "stream" not in names:
        return None
    bins = model.get_layer("planes").target_shape[1]
    flat = model.get_layer("flat").target_shape[1]
    convolutions = [name for name in names if name.startswith("convolution_")]
    return Chain(
        features=model.get_layer("features"),
        normalised=model.get_layer("normalised"),
        planes=keras.layers.Reshape((-1, bins, 1)),
        **{name: model.get_layer(name) for name in convolutions},
        flat=keras.layers.Reshape((-1, flat)),
        projection=model.get_layer("projection"),
        stream=model.get_layer("stream"),
        step_classes=model.get_layer("step_classes"),
    )


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) of clips and of stream steps, their sum, and correctness.

    Args:
        config: not used.
        targets: see `examples.examples`.
        outputs: of the model.

    Returns:
        Values `[batch]` by the names in METRICS.
    """
    label = targets["label"]
    values = classification.loss(label, outputs["logits"])
    clip_loss = values["loss"]
    if "frames" not in outputs:
        zeros = tf.zeros_like(clip_loss)
        return {**values, "clip_loss": clip_loss, "stream_loss": zeros, "stream_accuracy": zeros}
    stream_loss = _stream_loss(targets["steps"], outputs["frames"])
    return {
        "loss": clip_loss + stream_loss,
        "accuracy": values["accuracy"],
        "clip_loss": clip_loss,
        "stream_loss": stream_loss,
        "stream_accuracy": classification.is_correct(outputs["decision"], label),
    }


def _stream_loss(steps: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy over the steps whose class is known (not -1)."""
    steps = tf.concat([tf.roll(steps, 1, axis=0), steps], axis=1)
    steps = steps[:, -tf.shape(frames)[1] :]
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(steps, 0), frames)
    is_known = tf.cast(steps >= 0, tf.float32)
    return tf.reduce_sum(values * is_known, axis=1) / tf.maximum(
        tf.reduce_sum(is_known, axis=1), 1.0
    )


METRICS: Mapping[str, Direction] = {
    "loss": "min",
    "accuracy": "max",
    "clip_loss": "min",
    "stream_loss": "min",
    "stream_accuracy": "max",
}
MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics=METRICS)
