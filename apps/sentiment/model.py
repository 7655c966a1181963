"""Embedding, recurrent stack, pooling, classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rnnsuite.app import Model, Trained
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs.subword import END
from rnnsuite.layers import (
    Dropout,
    LockedDropout,
    Perturbation,
    Pooling,
    RegionEmbedding,
    Stack,
    TokenDropout,
    TokenTable,
)
from rnnsuite.tasks import classification

from .config import ModelConfig
from .data import Fitted
from .ngrams import NgramClassifier, mixture
from .pretrained import initialise

SAMPLES = 2048
"""Tokens that a step of the language model's loss compares with."""


CALIBRATED = 64
"""Texts of a batch from which the mixture with n-grams is learned."""
DIRECTIONS = ("", "backward_")
"""Before the names of the layers of each direction, where these are averaged."""


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the sizes of the vocabulary and of the classes.

    Returns:
        A model from ids `[batch, tokens]` (0 is padding) to `logits` `[batch, classes]` and
        attention `weights` `[batch, tokens]`; to the loss of a `language` model `[batch]`, where it
        has a weight; and to the logits of `ngrams` `[batch, classes]`, where these were fitted.
    """
    ids = keras.Input([None], dtype="int32", name="ids")
    size = len(fitted.vocabulary)
    if config.language_weight:
        embed = TokenTable(size, config.embedding, samples=SAMPLES, name="tokens")
    else:
        embed = keras.layers.Embedding(size, config.embedding, mask_zero=True, name="embedding")
    x = Perturbation(name="perturbation")(embed(ids))
    mask = ops.not_equal(ids, 0)
    x = TokenDropout(config.token_dropout)(x)
    x = LockedDropout(config.embedding_dropout)(x)
    if config.region:
        x = RegionEmbedding(config.region, name="region")(x, mask=mask)
    classes = len(fitted.labels)
    if config.averaged:
        parts = [_direction(config, classes, embed, ids, x, mask, name) for name in DIRECTIONS]
        outputs = {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}
    else:
        h = _recurrent(config, "recurrent", config.bidirectional)(x, mask=mask)
        logits, weights = _classified(config, classes, h, mask, "")
        outputs = {"logits": logits, "weights": weights}
    if fitted.ngrams:
        outputs["ngrams"] = NgramClassifier(fitted.ngrams, size, name="ngrams")(ids)
    return keras.Model(ids, outputs, name="sentiment")


def _direction(config: ModelConfig, classes: int, embed: Any, ids, x, mask, prefix: str) -> dict:
    """What one direction gives, by name."""
    stack = _recurrent(config, f"{prefix}recurrent", bidirectional=False)
    if prefix:  # padding comes first then, and changes no state
        h = ops.flip(stack(ops.flip(x, axis=1), mask=ops.flip(mask, axis=1)), axis=1)
    else:
        h = stack(x, mask=mask)
    logits, weights = _classified(config, classes, h, mask, prefix)
    outputs = {"logits": logits, "weights": weights}
    if config.language_weight:
        end = ops.full_like(ids[:, :1], END)
        # Reading on, the next token; reading back, the one before.
        beside = [end, ids[:, :-1]] if prefix else [ids[:, 1:], end]
        targets = ops.concatenate(beside, axis=1)
        targets = ops.where(ops.equal(targets, 0), END, targets)
        h = keras.layers.Dense(config.embedding, name=f"{prefix}projection")(h)
        counted = ops.cast(mask, "float32")
        losses = embed(h, targets=targets) * counted
        total = ops.maximum(ops.sum(counted, axis=1), 1.0)
        outputs["language"] = ops.sum(losses, axis=1) / total
    return outputs


def _classified(config: ModelConfig, classes: int, h, mask, prefix: str) -> tuple:
    """Logits and attention weights over outputs `[batch, tokens, width]`."""
    attention = Pooling("attentive", return_weights=True, name=f"{prefix}attention")
    attended, weights = attention(h, mask=mask)
    pooled = [Pooling(kind, name=f"{prefix}{kind}")(h, mask=mask) for kind in config.pooling]
    features = keras.layers.Concatenate()([attended, *pooled]) if pooled else attended
    features = Dropout(config.head_dropout)(features)
    return keras.layers.Dense(classes, dtype="float32", name=f"{prefix}classes")(features), weights


def _recurrent(config: ModelConfig, name: str, bidirectional: bool) -> Stack:
    return Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional,
        config.residual,
        config.layer_norm,
        config.dropout,
        config.weight_drop,
        config.zoneout,
        name=name,
    )


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) and correctness of each example; targets are class numbers `[batch]`."""
    values = classification.loss(targets, outputs["logits"])
    if "language" not in outputs:
        return values
    return {**values, "loss": values["loss"] + config.language_weight * outputs["language"]}


def calibrate(trained: Trained, records: Sequence[Record]) -> Mapping[str, float]:
    """How network and n-grams are mixed: what makes the held-out texts' classes most probable."""
    fitted = trained.fitted
    if not fitted.ngrams:
        return {}
    to_ids = fitted.text_to_ids()
    parts = []
    for start in range(0, len(records), CALIBRATED):
        texts = [record["text"] for record in records[start : start + CALIBRATED]]
        outputs = trained.model(to_ids(tf.constant(texts)).to_tensor(), training=False)
        parts.append([outputs["logits"].numpy(), outputs["ngrams"].numpy()])
    logits, ngrams = (np.concatenate(part) for part in zip(*parts, strict=True))
    numbers = [fitted.labels.index(as_text(record["label"])) for record in records]
    return mixture(logits, ngrams, np.array(numbers))


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "accuracy": "max"},
    initialise=initialise,
    calibrate=calibrate,
)
