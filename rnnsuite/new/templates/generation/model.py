"""An encoder that reads in both directions, a decoder that attends to what was read."""

import keras

from rnnsuite.app import Model
from rnnsuite.inputs.subword import PADDING
from rnnsuite.layers import LockedDropout, Pooling, Stack
from rnnsuite.losses import token_losses
from rnnsuite.tasks.generation import build_decoder

from .config import ModelConfig


def build(config, fitted):
    """A model from `source` and `target` ids [batch, ids] to `logits` [batch, ids, subwords] and
    attention `weights`. Its layers "encoder" and "decoder" are what is asked to write.
    """
    size = len(fitted.subwords().pieces)
    decoder = build_decoder(config.decoder, size, config.embedding, config.cell, config.dropout)
    encoder = _encoder(config, decoder.embedding)
    source, target = (
        keras.Input([None], dtype="int32", name=name) for name in ("source", "target")
    )
    read = encoder(source)
    logits, weights = decoder(target, read["memory"], read["summary"], mask=read["mask"])
    outputs = {"logits": logits, "weights": weights}
    return keras.Model({"source": source, "target": target}, outputs, name="__NAME__")


def _encoder(config, embedding):
    """ids [batch, ids] to `memory` [batch, ids, 2 units], its `mask`, and its mean, `summary`."""
    ids = keras.Input([None], dtype="int32", name="ids")
    mask = keras.ops.not_equal(ids, PADDING)
    h = Stack(
        config.cell,
        config.units,
        config.depth,
        bidirectional=True,
        dropout=config.dropout,
        name="recurrent",
    )(LockedDropout(config.dropout)(embedding(ids)), mask=mask)
    memory = LockedDropout(config.dropout)(h)
    summary = Pooling("mean", name="mean")(memory, mask=mask)
    return keras.Model(ids, {"memory": memory, "mask": mask, "summary": summary}, name="encoder")


def loss(config, targets, outputs):
    """Cross-entropy (nats) a subword, and accuracy."""
    return token_losses(targets, outputs["logits"])


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "nll": "min", "accuracy": "max"},
)
