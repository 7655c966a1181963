"""What every way of decoding asks of a model and gives back.

A model is `step(tokens, state) -> (logits, state)` with tokens `[rows]` int32, logits `[rows,
vocabulary]` and a state that is any nest of tensors with the rows first. A row's result does not
depend on the rows beside it. Lengths count the end token; what follows it is 0.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

Step = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
"""A model: of tokens and a state, the logits of what follows and the next state."""
NEGATIVE_INFINITY = float("-inf")
"""Score of an empty beam slot, and logit of a token that may not come."""


class Decoded(NamedTuple):
    """Decoded sequences.

    Attributes:
        ids: int32 `[batch, ..., max_length]`; `...` is the number of hypotheses for beam search.
        lengths: int32 `[batch, ...]`, the end token included.
        scores: float32 `[batch, ...]`, in nats. An empty beam slot has length 0 and score -inf.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def write_at(ids: tf.Tensor, position: tf.Tensor, tokens: tf.Tensor | int) -> tf.Tensor:
    """Writes `tokens` `[...]`, or one token for all, at `position` of ids `[..., max_length]`."""
    at_position = tf.range(tf.shape(ids)[-1]) == position
    tokens = tf.broadcast_to(tokens, tf.shape(ids)[:-1])
    return tf.where(at_position, tf.expand_dims(tokens, -1), ids)


def forbid_end(logits: tf.Tensor, end: int, forbidden: tf.Tensor) -> tf.Tensor:
    """Logits `[rows, vocabulary]` in which `end` cannot be chosen where `forbidden` is true."""
    is_end = tf.range(logits.shape[-1]) == end
    return tf.where(is_end & forbidden, NEGATIVE_INFINITY, logits)


def keep_shapes(body: Callable) -> Callable:
    """A loop body whose results keep the static shapes of its loop variables."""

    def wrapped(*before):
        return tf.nest.map_structure(
            lambda v, old: tf.ensure_shape(v, old.shape), body(*before), before
        )

    return wrapped
