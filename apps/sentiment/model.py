"""Embedding, recurrent stack, pooling, classes."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.layers import Dropout, LockedDropout, Pooling, RegionEmbedding, Stack, TokenDropout
from rnnsuite.tasks import classification

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the sizes of the vocabulary and of the classes.

    Returns:
        A model from ids `[batch, tokens]` (0 is padding) to `logits` `[batch, classes]` and
        attention `weights` `[batch, tokens]`.
    """
    ids = keras.Input([None], dtype="int32", name="ids")
    size = len(fitted.vocabulary)
    embed = keras.layers.Embedding(size, config.embedding, mask_zero=True, name="embedding")
    x = embed(ids)
    mask = embed.compute_mask(ids)
    x = TokenDropout(config.token_dropout)(x)
    x = LockedDropout(config.embedding_dropout)(x)
    if config.region:
        x = RegionEmbedding(config.region, name="region")(x, mask=mask)
    x = _recurrent(config)(x, mask=mask)
    attended, weights = Pooling("attentive", return_weights=True, name="attention")(x, mask=mask)
    pooled = [Pooling(kind, name=kind)(x, mask=mask) for kind in config.pooling]
    features = keras.layers.Concatenate()([attended, *pooled]) if pooled else attended
    features = Dropout(config.head_dropout)(features)
    logits = keras.layers.Dense(len(fitted.labels), dtype="float32", name="classes")(features)
    return keras.Model(ids, {"logits": logits, "weights": weights}, name="sentiment")


def _recurrent(config: ModelConfig) -> Stack:
    return Stack(
        config.cell,
        config.units,
        config.depth,
        config.bidirectional,
        config.residual,
        config.layer_norm,
        config.dropout,
        config.weight_drop,
        config.zoneout,
        name="recurrent",
    )


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) and correctness of each example; targets are class numbers `[batch]`."""
    return classification.loss(targets, outputs["logits"])


MODEL = Model(
    config=ModelConfig, build=build, loss=loss, metrics={"loss": "min", "accuracy": "max"}
)
