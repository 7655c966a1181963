"""Bidirectional encoder, attending decoder, subwords."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.inputs.subword import PADDING
from rnnsuite.layers import LockedDropout, Pooling, Stack, TokenDropout
from rnnsuite.losses import token_losses
from rnnsuite.tasks.generation import build_decoder

from .config import ModelConfig
from .data import Fitted


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the vocabularies.

    Returns:
        A model from `source` and `target` ids `[batch, ids]` (0 is padding) to `logits` `[batch,
        ids, vocabulary]` and attention `weights`.
    """
    source_size, target_size = (len(subwords.pieces) for subwords in fitted.subwords())
    decoder = build_decoder(
        config.decoder,
        target_size,
        config.embedding,
        config.cell,
        config.dropout,
        config.weight_drop,
    )
    scale = keras.initializers.RandomNormal(stddev=config.embedding**-0.5)
    embedding = (
        decoder.embedding
        if fitted.shared
        else keras.layers.Embedding(
            source_size, config.embedding, embeddings_initializer=scale, name="source_embedding"
        )
    )
    encoder = _encoder(config, embedding)
    source, target = (
        keras.Input([None], dtype="int32", name=name) for name in ("source", "target")
    )
    encoded = encoder(source)
    logits, weights = decoder(target, encoded["memory"], encoded["summary"], mask=encoded["mask"])
    outputs = {"logits": logits, "weights": weights}
    return keras.Model({"source": source, "target": target}, outputs, name="translation")


def _encoder(config: ModelConfig, embedding: keras.layers.Embedding) -> keras.Model:
    """ids `[batch, ids]` to `memory` `[batch, ids, 2 units]`, its `mask` and its mean, the
    `summary`.
    """
    ids = keras.Input([None], dtype="int32", name="ids")
    mask = keras.ops.not_equal(ids, PADDING)
    x = TokenDropout(config.token_dropout)(embedding(ids))
    x = LockedDropout(config.dropout)(x)
    x = Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="recurrent",
    )(x, mask=mask)
    x = LockedDropout(config.dropout)(x)
    summary = Pooling("mean", name="mean")(x, mask=mask)
    return keras.Model(ids, {"memory": x, "mask": mask, "summary": summary}, name="encoder")


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) a token, with and without smoothing, and accuracy."""
    return token_losses(targets, outputs["logits"], config.label_smoothing)


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "nll": "min", "accuracy": "max"},
)
