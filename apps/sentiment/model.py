"""Embedding, recurrent stack, pooling, classes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import keras
import pydantic
import tensorflow as tf

from apps.sentiment.data import Fitted
from rnnsuite.config import Positive, Share, section
from rnnsuite.layers import Cell, Dropout, LockedDropout, Pooling, RegionEmbedding, Stack, TokenDropout

METRICS = {"loss": "min", "accuracy": "max"}


@section
class Config:
    """Sizes and regularisation.

    region: width of a residual convolution over the embeddings, in tokens; 0 for none.
    pooling: what the classifier sees, side by side with the attentive pooling that also explains.
    token_dropout: share of tokens hidden in training. embedding_dropout, dropout: locked dropout
    of the embedding and between layers. weight_drop: share of the recurrent weights left out
    in training. zoneout: share of units that keep their state in a step. head_dropout: of the
    pooled vector.
    """

    cell: Cell = "lstm"
    embedding: Positive = 64
    region: Annotated[int, pydantic.Field(ge=0)] = 0
    units: Positive = 64
    depth: Positive = 1
    bidirectional: bool = True
    residual: bool = False
    layer_norm: bool = False
    pooling: tuple[Literal["last", "mean", "max"], ...] = ("max",)
    token_dropout: Share = 0.1
    embedding_dropout: Share = 0.2
    dropout: Share = 0.2
    weight_drop: Share = 0.0
    zoneout: Share = 0.0
    head_dropout: Share = 0.5


def build(config: Config, fitted: Fitted) -> keras.Model:
    """ids `[batch, tokens]` (0 is padding) to `logits` `[batch, classes]` and attention `weights` `[batch, tokens]`."""
    ids = keras.Input([None], dtype="int32", name="ids")
    embed = keras.layers.Embedding(len(fitted.vocabulary), config.embedding, mask_zero=True, name="embedding")
    x = embed(ids)
    mask = embed.compute_mask(ids)
    x = TokenDropout(config.token_dropout)(x)
    x = LockedDropout(config.embedding_dropout)(x)
    if config.region:
        x = RegionEmbedding(config.region, name="region")(x, mask=mask)
    x = Stack(
        config.cell, config.units, config.depth, config.bidirectional, config.residual, config.layer_norm,
        config.dropout, config.weight_drop, config.zoneout, name="recurrent",
    )(x, mask=mask)  # fmt: skip
    attended, weights = Pooling("attentive", return_weights=True, name="attention")(x, mask=mask)
    pooled = [Pooling(kind, name=kind)(x, mask=mask) for kind in config.pooling]
    features = keras.layers.Concatenate()([attended, *pooled]) if pooled else attended
    features = Dropout(config.head_dropout)(features)
    logits = keras.layers.Dense(len(fitted.labels), dtype="float32", name="classes")(features)
    return keras.Model(ids, {"logits": logits, "weights": weights}, name="sentiment")


def loss(config: Config, targets: tf.Tensor, outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) and correctness of each example; `targets` are class numbers `[batch]`."""
    logits = outputs["logits"]
    right = tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), targets)
    return {
        "loss": tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits),
        "accuracy": tf.cast(right, tf.float32),
    }
