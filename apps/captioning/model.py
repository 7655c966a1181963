"""Convolutional encoder, attending decoder, subwords."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import pydantic
import tensorflow as tf
from keras import ops

from apps.captioning.data import Fitted, pretrained
from rnnsuite.config import NotNegative, Positive, Share, section
from rnnsuite.layers import Cell, Dropout, Positions, TokenDecoder, residual_network
from rnnsuite.layers.attention import Kind
from rnnsuite.layers.backbone import Backbone
from rnnsuite.layers.form import PRECISE
from rnnsuite.metrics import attention_spread, token_losses

METRICS = {"loss": "min", "nll": "min", "accuracy": "max"}


@section
class Config:
    """Sizes and regularisation.

    filters, blocks: of the residual encoder, a stage for each of `filters`; every stage halves
    the sides. drop_path: share of examples that skip its last block in training, fewer before.
    width: of the memory, which a 1 x 1 convolution and a vector for each position make;
    position_scale: how large those are at first: the larger, the sooner places matter.
    cell, decoder_units, decoder_depth, attention, attention_units: of the decoder; its first layer
    alone does not see what was attended before, so one layer cannot relate two things.
    tied: the embedding is also the last layer's matrix. dropout: of the memory, and locked
    dropout in the decoder. token_dropout: share of the words before that the decoder does not
    see in training. scheduled_sampling: share of them that are the model's own.
    label_smoothing: share of probability spread evenly. attention_penalty: weight of the
    demand that all positions get the same attention over a caption (arXiv 1502.03044, eq. 14).
    """

    filters: Annotated[tuple[Positive, ...], pydantic.Field(min_length=1, max_length=6)] = (32, 64, 128, 256)
    blocks: Positive = 1
    drop_path: Share = 0.0
    width: Positive = 256
    position_scale: NotNegative = 0.02
    cell: Cell = "lstm"
    embedding: Positive = 128
    decoder_units: Positive = 256
    decoder_depth: Positive = 2
    attention: Kind = "scaled_dot"
    attention_units: Positive = 128
    tied: bool = True
    dropout: Share = 0.2
    token_dropout: Share = 0.0
    scheduled_sampling: Share = 0.0
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.1
    attention_penalty: NotNegative = 0.0


def build(config: Config, fitted: Fitted) -> keras.Model:
    """`image` `[batch, size, size, 3]` of 0 to 255 and `target` ids `[batch, captions, ids]` to `logits` of the ids.

    `logits` are `[batch, captions, ids, vocabulary]`, `weights` `[batch, captions, ids, positions]`.
    """
    decoder = TokenDecoder(
        len(fitted.subwords().pieces), config.embedding, config.cell, config.decoder_units, config.decoder_depth,
        config.attention, config.attention_units, tied=config.tied, dropout=config.dropout,
        sampling=config.scheduled_sampling, token_dropout=config.token_dropout, name="decoder",
    )  # fmt: skip
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
    """The same with `features` `[batch, h, w, channels]` of a frozen backbone in place of `image`.

    The backbone is part of the encoder, and of what is saved, but not of a call.
    """

    def __init__(self, encoder: keras.Model, head: keras.Model, decoder: TokenDecoder, **options):
        super().__init__(**options)
        self.encoder, self.head, self.decoder = encoder, head, decoder

    def call(self, inputs, training=False):
        encoded = self.head(inputs["features"], training=training)
        logits, weights = self.decoder(inputs["target"], encoded["memory"], encoded["summary"], training=training)
        return {"logits": logits, "weights": weights}


def _built(model: OnFeatures) -> OnFeatures:
    model({"features": tf.zeros([1, *model.head.input_shape[1:]]), "target": tf.ones([1, 1, 1], tf.int32)})
    return model


def begin(config: Any, model: keras.Model) -> None:
    """Gives a new model's backbone the weights that it begins with."""
    if config.data.backbone and config.data.weights != "random":
        found = pretrained(config.data.backbone, config.data.size, config.data.weights)
        model.get_layer("encoder").get_layer("backbone").set_weights(found.get_weights())


def _encoder(config: Config, fitted: Fitted) -> tuple[keras.Model, keras.Model]:
    """`image` to `memory` `[batch, positions, width]`, row by row, and its mean, the `summary`; and its last part."""
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    if fitted.backbone:
        network = Backbone(fitted.backbone, fitted.size, name="backbone")
        network.trainable = not fitted.frozen
    else:
        network = residual_network(fitted.size, config.filters, config.blocks, config.drop_path)
    features = network(image)
    head = _head(config, features.shape[1:])
    return keras.Model(image, head(features), name="encoder"), head


def _head(config: Config, shape: tuple) -> keras.Model:
    """Features `[batch, h, w, channels]` to `memory` and `summary`."""
    features = keras.Input(shape, name="features")
    x = keras.layers.Reshape([-1, shape[-1]])(features)
    x = keras.layers.Dense(config.width, name="width")(x)
    x = keras.layers.LayerNormalization(name="norm")(Positions(config.position_scale, name="positions")(x))
    x = Dropout(config.dropout)(x)
    return _Head(features, {"memory": x, "summary": ops.mean(x, axis=1)}, name="head")


class _Head(keras.Model):
    """A functional model that stays in float32 where an encoder becomes int8: positions differ by little."""

    def call(self, inputs, training=None, mask=None):
        with tf.name_scope(PRECISE):
            return super().call(inputs, training=training, mask=mask)


def loss(config: Config, targets: tf.Tensor, outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy; `targets` `[batch, captions, ids]`."""
    shape = tf.shape(targets)
    ids = tf.reshape(targets, [shape[0], -1])
    logits = tf.reshape(outputs["logits"], [shape[0], shape[1] * shape[2], outputs["logits"].shape[-1]])
    values = token_losses(ids, logits, config.label_smoothing)
    if not config.attention_penalty:
        return values
    return {**values, "loss": values["loss"] + config.attention_penalty * attention_spread(targets, outputs["weights"])}
