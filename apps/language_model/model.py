"""Token vectors, recurrent stack, softmax over the same vectors; states go in and out."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.app import Model
from rnnsuite.core.errors import UserError
from rnnsuite.layers import LockedDropout, Stack, TokenTable

from .config import ModelConfig
from .data import Fitted

BACKWARD = "backward_"
"""Before the names of what reads from the end, in a model of both directions."""


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the size of the vocabulary, and the directions.

    Returns:
        A model from `ids` and `next` `[batch, time]` and states `[batch, units]` to each next
        token's cross-entropy `nll` `[batch, time]` (nats), the states after, and `penalty`
        `[batch]`. Of both directions, which share the token vectors, the backward one's names begin
        with `backward_`.
    """
    table = token_table(config, len(fitted.vocabulary().pieces))
    inputs = {}
    outputs: dict[str, Any] = {}
    for prefix in ("", BACKWARD) if fitted.direction == "both" else ("",):
        parts = _direction(config, fitted, table, prefix)
        inputs |= parts[0]
        outputs |= parts[1]
    return keras.Model(inputs, outputs, name="language_model")


def _direction(
    config: ModelConfig, fitted: Fitted, table: TokenTable, prefix: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The named inputs and outputs of one direction."""
    stack = recurrent(config, f"{prefix}recurrent")
    names = {state: f"{prefix}{state}" for state in stack.states}
    steps: Any = [None]
    inputs = {
        name: keras.Input(steps, dtype="int32", name=name)
        for name in (f"{prefix}ids", f"{prefix}next")
    }
    inputs |= {
        names[state]: keras.Input(shape, name=names[state]) for state, shape in stack.states.items()
    }
    fresh = None
    if fitted.reset:
        fresh = inputs[f"{prefix}fresh"] = keras.Input(steps, dtype="bool", name=f"{prefix}fresh")
    x = table(inputs[f"{prefix}ids"])
    x = LockedDropout(config.input_dropout, name=f"{prefix}input_dropout")(x)
    states = {state: inputs[name] for state, name in names.items()}
    y, after = stack(x, states=states, fresh=fresh)
    h = LockedDropout(config.output_dropout, name=f"{prefix}output_dropout")(y)
    penalty = config.activity * ops.mean(ops.square(h), axis=(1, 2))
    change = ops.square(y[:, 1:] - y[:, :-1])
    penalty += config.slowness * ops.sum(change, axis=(1, 2)) / ops.cast(ops.size(y[0]), y.dtype)
    if config.units != config.embedding:
        h = keras.layers.Dense(config.embedding, name=f"{prefix}projection")(h)
    return inputs, {
        f"{prefix}nll": table(h, targets=inputs[f"{prefix}next"]),
        f"{prefix}penalty": penalty,
        **{names[state]: value for state, value in after.items()},
    }


def token_table(config: ModelConfig, size: int) -> TokenTable:
    """The vectors of a vocabulary of this size. Raises UserError for cutoffs that cannot be."""
    cutoffs = config.cutoffs if config.softmax == "adaptive" else ()
    rising = sorted(set(cutoffs)) == list(cutoffs)
    if config.softmax == "adaptive" and (not cutoffs or not rising or cutoffs[-1] >= size):
        raise UserError(
            f"model.cutoffs: {list(cutoffs)} given; an adaptive softmax over {size} tokens needs "
            f"some that rise below that, such as [{max(size // 8, 1)}, {max(size // 3, 2)}]."
        )
    return TokenTable(
        size,
        config.embedding,
        cutoffs=cutoffs,
        samples=config.samples if config.softmax == "sampled" else 0,
        dropout=config.embedding_dropout,
        name="tokens",
    )


def recurrent(config: ModelConfig, name: str) -> Stack:
    """The recurrent layers of one direction."""
    return Stack(
        config.cell,
        config.units,
        config.depth,
        residual=config.residual,
        layer_norm=config.layer_norm,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        zoneout=config.zoneout,
        name=name,
    )


def loss(
    config: ModelConfig, targets: tf.Tensor, outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Cross-entropy of each row's tokens (nats a token), and with it the penalties.

    Of two directions, their mean.
    """

    def mean(name):
        values = [
            tf.cast(outputs[key], tf.float32) for key in (name, BACKWARD + name) if key in outputs
        ]
        return tf.add_n(values) / len(values)

    nll = tf.reduce_mean(mean("nll"), axis=1)
    return {"loss": nll + mean("penalty"), "nll": nll}


MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics={"loss": "min", "nll": "min"})
