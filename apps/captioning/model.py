"""Convolutional encoder, attending decoder, subwords."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Model, Start
from rnnsuite.core.context import PRECISE
from rnnsuite.core.weights import copy_weights
from rnnsuite.layers import Dropout, Positions, TokenDecoder, residual_network
from rnnsuite.layers.backbone import Backbone
from rnnsuite.losses import attention_spread, caption_losses
from rnnsuite.pipeline.config import Config
from rnnsuite.tasks.generation import build_decoder

from .config import DataConfig, ModelConfig
from .data import Fitted, pretrained


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the vocabulary and how images are read.

    Returns:
        A model from `image` `[batch, size, size, 3]` of 0 to 255 (or `features` of a frozen
        backbone) and `target` ids `[batch, captions, ids]` to `logits` `[batch, captions, ids,
        vocabulary]` and attention `weights` `[batch, captions, ids, positions]`.
    """
    vocabulary = len(fitted.subwords().pieces)
    decoder = build_decoder(
        config.decoder, vocabulary, config.embedding, config.cell, config.dropout
    )
    encoder, head = _encoder(config, fitted)
    if fitted.frozen:
        return _built(OnFeatures(encoder, head, decoder, name="captioning"))
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    target = keras.Input([None, None], dtype="int32", name="target")
    encoded = encoder(image)
    logits, weights = decoder(target, encoded["memory"], encoded["summary"])
    outputs = {"logits": logits, "weights": weights}
    return keras.Model({"image": image, "target": target}, outputs, name="captioning")


class OnFeatures(keras.Model):
    """A model that takes `features` `[batch, h, w, channels]` of a frozen backbone, no `image`.

    The backbone is part of the encoder, and of what is saved, but not of a call.

    Args:
        encoder: image to memory, with the backbone.
        head: its last part, from features.
        decoder: memory to logits.
    """

    def __init__(self, encoder: keras.Model, head: keras.Model, decoder: TokenDecoder, **options):
        super().__init__(**options)
        self.encoder = encoder
        self.head = head
        self.decoder = decoder

    def call(self, inputs, training=False):
        encoded = self.head(inputs["features"], training=training)
        logits, weights = self.decoder(
            inputs["target"], encoded["memory"], encoded["summary"], training=training
        )
        return {"logits": logits, "weights": weights}


def _built(model: OnFeatures) -> OnFeatures:
    model(
        {
            "features": tf.zeros([1, *model.head.input_shape[1:]]),
            "target": tf.ones([1, 1, 1], tf.int32),
        }
    )
    return model


def initialise(
    config: Config[DataConfig, ModelConfig], model: keras.Model, start: Start | None
) -> None:
    """Gives a new model the weights of `train.start`, or its backbone those of `data.weights`.

    Raises:
        KeyError, ValueError: where they do not fit.
    """
    if start:
        copy_weights(model, start.weights)
    elif config.data.backbone and config.data.weights != "random":
        backbone = pretrained(config.data.backbone, config.data.size, config.data.weights)
        encoder = model.get_layer("encoder")
        encoder.get_layer("backbone").set_weights(backbone.get_weights())


def _encoder(config: ModelConfig, fitted: Fitted) -> tuple[keras.Model, keras.Model]:
    """`image` to `memory` `[batch, positions, width]`, row by row, and its mean, the `summary`; and
    its last part.
    """
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    if fitted.backbone:
        network = Backbone(fitted.backbone, fitted.size, name="backbone")
        network.trainable = not fitted.frozen
    else:
        network = residual_network(fitted.size, config.filters, config.blocks, config.drop_path)
    features = network(image)
    head = _head(config, features.shape[1:])
    return keras.Model(image, head(features), name="encoder"), head


def _head(config: ModelConfig, shape: tuple) -> keras.Model:
    """Features `[batch, h, w, channels]` to `memory` and `summary`."""
    features = keras.Input(shape, name="features")
    x = keras.layers.Reshape([-1, shape[-1]])(features)
    x = keras.layers.Dense(config.width, name="width")(x)
    x = keras.layers.LayerNormalization(name="norm")(
        Positions(config.position_scale, name="positions")(x)
    )
    x = Dropout(config.dropout)(x)
    return _Head(features, {"memory": x, "summary": ops.mean(x, axis=1)}, name="head")


class _Head(keras.Model):
    """A functional model that stays in float32 where an encoder becomes int8: positions differ by
    little.
    """

    def call(self, inputs, training=None, mask=None):
        with tf.name_scope(PRECISE):
            return super().call(inputs, training=training, mask=mask)


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy."""
    values = caption_losses(targets, outputs["logits"], config.label_smoothing)
    if not config.attention_penalty:
        return values
    return {
        **values,
        "loss": values["loss"]
        + config.attention_penalty * attention_spread(targets, outputs["weights"]),
    }


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "nll": "min", "accuracy": "max"},
    initialise=initialise,
)
