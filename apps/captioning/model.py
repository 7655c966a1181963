"""Convolutional encoder, attending decoder, subwords."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import pydantic
import tensorflow as tf
from keras import ops

from apps.captioning.data import Fitted
from rnnsuite.config import NotNegative, Positive, Share, section
from rnnsuite.layers import Cell, Positions, TokenDecoder, residual_network
from rnnsuite.layers.attention import Kind
from rnnsuite.metrics import attention_spread, token_losses

METRICS = {"loss": "min", "nll": "min", "accuracy": "max"}


@section
class Config:
    """Sizes and regularisation.

    filters, blocks: of the residual encoder, a stage for each of `filters`; every stage halves
    the sides. drop_path: share of examples that skip its last block in training, fewer before.
    width: of the memory, which a 1 x 1 convolution and an embedding of the position make.
    cell, decoder_units, decoder_depth, attention, attention_units: of the decoder.
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
    cell: Cell = "lstm"
    embedding: Positive = 128
    decoder_units: Positive = 256
    decoder_depth: Positive = 1
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
    encoder = _encoder(config, fitted)
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    target = keras.Input([None, None], dtype="int32", name="target")
    encoded = encoder(image)
    logits, weights = decoder(target, encoded["memory"], encoded["summary"])
    outputs = {"logits": logits, "weights": weights}
    return keras.Model({"image": image, "target": target}, outputs, name="captioning")


def _encoder(config: Config, fitted: Fitted) -> keras.Model:
    """`image` to `memory` `[batch, positions, width]`, row by row, and its mean, the `summary`."""
    image = keras.Input([fitted.size, fitted.size, 3], name="image")
    x = residual_network(fitted.size, config.filters, config.blocks, config.drop_path)(image)
    x = keras.layers.Dense(config.width, name="width")(keras.layers.Reshape([-1, x.shape[-1]])(x))
    x = keras.layers.LayerNormalization(name="norm")(Positions(name="positions")(x))
    x = keras.layers.Dropout(config.dropout)(x)
    return keras.Model(image, {"memory": x, "summary": ops.mean(x, axis=1)}, name="encoder")


def loss(config: Config, targets: tf.Tensor, outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy; `targets` `[batch, captions, ids]`."""
    shape = tf.shape(targets)
    ids = tf.reshape(targets, [shape[0], -1])
    logits = tf.reshape(outputs["logits"], [shape[0], shape[1] * shape[2], outputs["logits"].shape[-1]])
    values = token_losses(ids, logits, config.label_smoothing)
    if not config.attention_penalty:
        return values
    return {**values, "loss": values["loss"] + config.attention_penalty * attention_spread(targets, outputs["weights"])}
