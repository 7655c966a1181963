"""Features of frames, a recurrent encoder, an attending decoder, subwords."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.layers import LockedDropout, Pooling, Stack
from rnnsuite.layers.missing import StepMask
from rnnsuite.losses import caption_losses
from rnnsuite.tasks.generation import build_decoder

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the vocabulary and what a frame holds.

    Returns:
        A model from `features` `[batch, frames, features]` and `target` ids `[batch, captions,
        ids]` to `logits` `[batch, captions, ids, vocabulary]` and attention `weights` `[batch,
        captions, ids, frames]`. Frames of zeros are none.
    """
    decoder = build_decoder(
        config.decoder,
        len(fitted.subwords().pieces),
        config.embedding,
        config.cell,
        config.dropout,
        config.weight_drop,
    )
    encoder = _encoder(config, fitted)
    features = keras.Input([None, fitted.width], name="features")
    target = keras.Input([None, None], dtype="int32", name="target")
    encoded = encoder(features)
    logits, weights = decoder(target, encoded["memory"], encoded["summary"], mask=encoded["mask"])
    outputs = {"logits": logits, "weights": weights}
    inputs = {"features": features, "target": target}
    return keras.Model(inputs, outputs, name="video_captioning")


def _encoder(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """`features` to `memory` `[batch, frames, width]`, its `mask` and its mean, the `summary`."""
    features = keras.Input([None, fitted.width], name="features")
    mask = StepMask(1, name="mask")(features)
    scale = keras.layers.Normalization(
        mean=fitted.mean, variance=[x**2 for x in fitted.deviation], name="scaled"
    )
    x = LockedDropout(config.input_dropout)(scale(features))
    x = keras.layers.Dense(config.width, activation="relu", name="width")(x)
    if config.encoder_units:
        read = Stack(
            config.cell,
            config.encoder_units,
            config.encoder_depth,
            bidirectional=True,
            dropout=config.dropout,
            weight_drop=config.weight_drop,
            name="recurrent",
        )(LockedDropout(config.dropout)(x), mask=mask)
        x = keras.layers.Concatenate(name="read")([x, read])
    x = keras.layers.LayerNormalization(name="norm")(x)
    x = LockedDropout(config.dropout)(x)
    summary = Pooling("mean", name="mean")(x, mask=mask)
    outputs = {"memory": x, "mask": mask, "summary": summary}
    return keras.Model(features, outputs, name="encoder")


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy."""
    return caption_losses(targets, outputs["logits"], config.label_smoothing)


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "nll": "min", "accuracy": "max"},
)
