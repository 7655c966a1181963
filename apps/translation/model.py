"""Bidirectional encoder, attending decoder, subwords."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import pydantic
import tensorflow as tf

from apps.translation.data import Fitted
from rnnsuite.config import Positive, Share, section
from rnnsuite.inputs.subword import PADDING
from rnnsuite.layers import Cell, LockedDropout, Pooling, Stack, TokenDecoder, TokenDropout
from rnnsuite.layers.attention import Kind
from rnnsuite.metrics import token_losses

METRICS = {"loss": "min", "nll": "min", "accuracy": "max"}


@section
class Config:
    """Sizes and regularisation.

    units, depth: of each direction of the encoder. decoder_units, decoder_depth: of the decoder.
    attention: additive, dot, general, scaled_dot, or uniform for none. feeding: the decoder's
    last output goes into its next step (arXiv 1508.04025, section 3.3); trains step by step.
    tied: the embedding is also the last layer's matrix. A shared vocabulary has one embedding.
    token_dropout: share of source tokens hidden in training. dropout: locked dropout of
    embeddings, of the encoder's output, between layers and before the last. weight_drop: share
    of the recurrent weights left out in training. scheduled_sampling: share of target tokens
    that are the model's own in training. label_smoothing: share of probability spread evenly.
    """

    cell: Cell = "lstm"
    embedding: Positive = 256
    units: Positive = 256
    depth: Positive = 1
    decoder_units: Positive = 320
    decoder_depth: Positive = 2
    attention: Kind = "additive"
    attention_units: Positive = 192
    feeding: bool = False
    tied: bool = True
    token_dropout: Share = 0.0
    dropout: Share = 0.3
    weight_drop: Share = 0.0
    scheduled_sampling: Share = 0.0
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.1

    @pydantic.model_validator(mode="after")
    def _sound(self):
        if self.feeding and self.weight_drop:
            raise ValueError("weight_drop goes with whole sequences, not with feeding")
        if self.attention == "dot" and self.decoder_units != 2 * self.units:
            raise ValueError("attention dot needs decoder_units to be twice the encoder's units")
        return self


def build(config: Config, fitted: Fitted) -> keras.Model:
    """`source` and `target` ids `[batch, ids]` (0 is padding) to `logits` `[batch, ids, vocabulary]` and attention."""
    one, other = (len(subwords.pieces) for subwords in fitted.subwords())
    decoder = TokenDecoder(
        other, config.embedding, config.cell, config.decoder_units, config.decoder_depth, config.attention,
        config.attention_units, config.feeding, config.tied, config.dropout, config.weight_drop,
        config.scheduled_sampling, name="decoder",
    )  # fmt: skip
    scale = keras.initializers.RandomNormal(stddev=config.embedding**-0.5)
    embedding = (
        decoder.embedding
        if fitted.shared
        else keras.layers.Embedding(one, config.embedding, embeddings_initializer=scale, name="source_embedding")
    )
    encoder = _encoder(config, embedding)
    source, target = (keras.Input([None], dtype="int32", name=name) for name in ("source", "target"))
    encoded = encoder(source)
    logits, weights = decoder(target, encoded["memory"], encoded["summary"], mask=encoded["mask"])
    outputs = {"logits": logits, "weights": weights}
    return keras.Model({"source": source, "target": target}, outputs, name="translation")


def _encoder(config: Config, embedding: keras.layers.Embedding) -> keras.Model:
    """ids `[batch, ids]` to `memory` `[batch, ids, 2 units]`, its `mask` and its mean, the `summary`."""
    ids = keras.Input([None], dtype="int32", name="ids")
    mask = keras.ops.not_equal(ids, PADDING)
    x = TokenDropout(config.token_dropout)(embedding(ids))
    x = LockedDropout(config.dropout)(x)
    x = Stack(
        config.cell, config.units, config.depth, bidirectional=True, dropout=config.dropout,
        weight_drop=config.weight_drop, name="recurrent",
    )(x, mask=mask)  # fmt: skip
    x = LockedDropout(config.dropout)(x)
    summary = Pooling("mean", name="mean")(x, mask=mask)
    return keras.Model(ids, {"memory": x, "mask": mask, "summary": summary}, name="encoder")


def loss(config: Config, targets: tf.Tensor, outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy; `targets` are ids `[batch, ids]`."""
    return token_losses(targets, outputs["logits"], config.label_smoothing)
