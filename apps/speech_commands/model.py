"""Features, convolutions, and two recurrent heads: one hears the whole clip, one hears it as it comes."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import pydantic
import tensorflow as tf
from keras import ops

from apps.speech_commands.data import STEP, Fitted
from rnnsuite.config import Positive, Share, section
from rnnsuite.inputs.audio import HOP, LogMel, Normalised
from rnnsuite.layers import CausalConvolution, Cell, Chain, Dropout, LockedDropout, Pooling, SpecAugment, Stack

METRICS = {"loss": "min", "accuracy": "max", "clip_loss": "min", "stream_loss": "min", "stream_accuracy": "max"}
SMOOTHED = 10  # steps that a stream's probabilities are averaged over


@section
class Config:
    """Sizes and regularisation.

    channels: of the convolutions over time and frequency; the first halves both, the others the frequency.
    units, depth, bidirectional: of the recurrent stack that hears whole clips.
    stream_units, stream_depth: of the one that hears as it goes; 0 units for none.
    bands, width, spans, steps: SpecAugment (see `rnnsuite.layers.SpecAugment`); steps of 10 ms.
    dropout: of the convolutions' result and between layers. head_dropout: of the pooled vector.
    weight_drop: share of the recurrent weights left out in training.
    """

    cell: Cell = "lstm"
    channels: tuple[Positive, ...] = (32, 64)
    projection: Positive = 128
    units: Positive = 96
    depth: Positive = 1
    bidirectional: bool = True
    stream_units: Annotated[int, pydantic.Field(ge=0)] = 128
    stream_depth: Positive = 1
    bands: Annotated[int, pydantic.Field(ge=0)] = 2
    width: Annotated[int, pydantic.Field(ge=0)] = 8
    spans: Annotated[int, pydantic.Field(ge=0)] = 2
    steps: Annotated[int, pydantic.Field(ge=0)] = 15
    dropout: Share = 0.2
    weight_drop: Share = 0.0
    head_dropout: Share = 0.4


@keras.saving.register_keras_serializable("rnnsuite")
class Preceded(keras.layers.Layer):
    """In training, puts another row of the batch before each, so that a stream never begins with a word.

    `[batch, time, features]` to `[batch, 2 time, features]`; the row before, rolled around. Else nothing changes.
    """

    def call(self, x_BxTxD, training=False):
        return ops.concatenate([ops.roll(x_BxTxD, 1, axis=0), x_BxTxD], axis=1) if training else x_BxTxD


def build(config: Config, fitted: Fitted) -> keras.Model:
    """samples `[batch, clip_samples]` to a dict.

    `logits` `[batch, classes]` and attention `weights` `[batch, steps]` of the whole clip
    (convolutions and recurrent layers as in arXiv 1703.05390, attention as in arXiv
    1808.08929); `frames` `[batch, steps, classes]`, the logits of the stream at every step
    of 20 ms, with the row before in training. Raises ValueError where a stream is wanted of
    features that have none.
    """
    samples = keras.Input([fitted.clip_samples], dtype="float32", name="samples")
    features = LogMel(fitted.bins, fitted.coefficients, dtype="float32", name="features")
    x = features(samples)
    normalised = Normalised(fitted.normalisation, fitted.mean, fitted.deviation, dtype="float32", name="normalised")
    x = SpecAugment(config.bands, config.width, config.spans, config.steps, name="hidden")(normalised(x))
    x = keras.layers.Reshape((fitted.clip_samples // HOP, features.width, 1), name="planes")(x)
    for number, filters in enumerate(config.channels):
        kernel, strides = ((5, 5), (STEP // HOP, 2)) if number == 0 else ((3, 3), (1, 2))
        x = CausalConvolution(filters, kernel, strides, name=f"convolution_{number}")(x)
    x = keras.layers.Reshape((fitted.clip_samples // STEP, x.shape[2] * x.shape[3]), name="flat")(x)
    x = keras.layers.Dense(config.projection, activation="relu", name="projection")(x)
    x = LockedDropout(config.dropout, name="dropped")(x)
    outputs = _whole(config, len(fitted.labels), x)
    if config.stream_units and fitted.normalisation != "clip":
        outputs["frames"] = _stream(config, len(fitted.labels), x)
        outputs["heard"] = Heard(fitted.background, fitted.clip_samples // STEP, name="heard")(outputs["frames"])
    return keras.Model(samples, outputs, name="speech_commands")


def _whole(config, classes, x):
    x = Stack(
        config.cell, config.units, config.depth, config.bidirectional, dropout=config.dropout,
        weight_drop=config.weight_drop, name="recurrent",
    )(x)  # fmt: skip
    attended, weights = Pooling("attentive", return_weights=True, name="attention")(x)
    attended = Dropout(config.head_dropout)(attended)
    logits = keras.layers.Dense(classes, dtype="float32", name="classes")(attended)
    return {"logits": logits, "weights": weights}


def _stream(config, classes, x):
    x = Preceded(name="preceded")(x)
    x = Stack(
        config.cell, config.stream_units, config.stream_depth, dropout=config.dropout,
        weight_drop=config.weight_drop, name="stream",
    )(x)  # fmt: skip
    x = Dropout(config.head_dropout)(x)
    return keras.layers.Dense(classes, dtype="float32", name="step_classes")(x)


@keras.saving.register_keras_serializable("rnnsuite")
class Heard(keras.layers.Layer):
    """What a stream heard in a clip: `[batch, time, classes]` logits of its steps to shares `[batch, classes]`.

    Of the last `steps`, the mean probability of the 0.2 s up to the last one in which the
    class `background` (-1 for none) has less than one half; of all where there is none.
    `rnnsuite.events.Detector` names events in the same way.
    """

    def __init__(self, background: int, steps: int, **options):
        super().__init__(**options)
        self.background, self.steps = background, steps

    def call(self, frames_BxTxC):
        shares_BxTxC = ops.softmax(frames_BxTxC[:, -self.steps :])
        is_background = ops.arange(frames_BxTxC.shape[-1]) == self.background
        quiet_BxT = ops.sum(ops.where(is_background, shares_BxTxC, 0.0), axis=-1)
        places = ops.arange(self.steps)
        end_Bx1 = ops.max(ops.where(quiet_BxT <= 0.5, places + 1, 0), axis=1, keepdims=True)
        heard_BxT = (places < end_Bx1) & (places >= end_Bx1 - SMOOTHED)
        words_BxTxC = ops.where(heard_BxT[..., None] & ~is_background, shares_BxTxC, 0.0)
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


def loss(config: Config, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) of the clip and of the stream's steps, their sum, and the correctness of each example.

    targets: as `data.examples` gives them.
    """
    label = targets["label"]
    clip_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(label, outputs["logits"])
    values = {"loss": clip_loss, "accuracy": _right(outputs["logits"], label), "clip_loss": clip_loss}
    if "frames" not in outputs:
        return {**values, "stream_loss": tf.zeros_like(clip_loss), "stream_accuracy": tf.zeros_like(clip_loss)}
    steps = tf.concat([tf.roll(targets["steps"], 1, axis=0), targets["steps"]], axis=1)
    steps = steps[:, -tf.shape(outputs["frames"])[1] :]
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(steps, 0), outputs["frames"])
    known = tf.cast(steps >= 0, tf.float32)
    stream_loss = tf.reduce_sum(each * known, axis=1) / tf.maximum(tf.reduce_sum(known, axis=1), 1.0)
    return {
        **values,
        "loss": clip_loss + stream_loss,
        "stream_loss": stream_loss,
        "stream_accuracy": _right(outputs["heard"], label),
    }


def _right(scores, label):
    return tf.cast(tf.equal(tf.argmax(scores, axis=-1, output_type=tf.int32), label), tf.float32)
