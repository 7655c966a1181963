"""One token after the other: the most probable, or drawn."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnsuite.decoding.step import (
    NEGATIVE_INFINITY,
    Decoded,
    Step,
    forbid_end,
    keep_shapes,
    write_at,
)


def greedy(
    step: Step, state: Any, start: tf.Tensor, end: int, max_length: int, min_length: int = 0
) -> Decoded:
    """The most probable token at every step.

    Args:
        step: the model; see `rnnsuite.decoding.step`.
        state: its state before the first step.
        start: int32 `[batch]`, the token before the first one.
        end: the token that ends a sequence.
        max_length: tokens at most.
        min_length: tokens before `end` may come.

    Returns:
        `Decoded`, whose scores are log-probabilities in nats.
    """

    def choose(logits, position):
        return tf.argmax(logits, -1, tf.int32)

    return _decode_loop(step, state, start, end, max_length, min_length, choose)


def sample(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    max_length: int,
    seed: tf.Tensor,
    min_length: int = 0,
    temperature: tf.Tensor | float = 1.0,
    top_k: tf.Tensor | int = 0,
    top_p: tf.Tensor | float = 1.0,
) -> Decoded:
    """Draws every token from softmax(logits / temperature), cut down to the likely ones.

    Args:
        step, state, start, end, max_length, min_length: as `greedy` takes them.
        seed: int32 scalar; the same seed gives a row at the same place the same sequence.
        temperature: 0 is `greedy`.
        top_k: of the k most probable tokens (Fan et al., arXiv 1805.04833); 0 for all.
        top_p: of the fewest tokens that hold this probability (nucleus; Holtzman et al., arXiv
            1904.09751).

    Returns:
        `Decoded`, whose scores are log-probabilities (nats) of the model itself, uncut and at
        temperature 1.
    """
    temperature = tf.convert_to_tensor(temperature, tf.float32)

    def choose(logits, position):
        filtered = filter_logits(logits / tf.maximum(temperature, 1e-6), top_k, top_p)
        seeds = tf.stack([seed, position])
        noise = tf.random.stateless_uniform(tf.shape(logits), seeds, 1e-20, 1.0)
        # The largest of logits with Gumbel noise is a draw from their softmax.
        drawn = tf.argmax(filtered - tf.math.log(-tf.math.log(noise)), -1, tf.int32)
        return tf.where(temperature > 0, drawn, tf.argmax(logits, -1, tf.int32))

    return _decode_loop(step, state, start, end, max_length, min_length, choose)


def filter_logits(logits: tf.Tensor, top_k: tf.Tensor | int, top_p: tf.Tensor | float) -> tf.Tensor:
    """Sets all but the likely tokens to -inf.

    Args:
        logits: `[rows, vocabulary]`.
        top_k: how many of the largest stay; 0 for all.
        top_p: of these, the fewest that hold this probability stay (the nucleus).

    Returns:
        Logits of the same shape.
    """
    size = logits.shape[-1]
    order = tf.argsort(logits, axis=-1, direction="DESCENDING", stable=True)
    rank = tf.argsort(order, axis=-1)
    top_k = tf.convert_to_tensor(top_k, tf.int32)
    logits = tf.where(rank < tf.where(top_k > 0, top_k, size), logits, NEGATIVE_INFINITY)
    ranked = tf.gather(tf.nn.softmax(logits), order, batch_dims=1)
    before = tf.cumsum(ranked, axis=-1, exclusive=True)
    top_p = tf.maximum(tf.convert_to_tensor(top_p, tf.float32), 1e-9)
    in_nucleus = tf.gather(before < top_p, rank, batch_dims=1)
    return tf.where(in_nucleus, logits, NEGATIVE_INFINITY)


def _decode_loop(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    max_length: int,
    min_length: int,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> Decoded:
    rows = tf.shape(start)[0]

    def body(position, tokens, state, ids, lengths, scores, running):
        logits, state = step(tokens, state)
        logits = forbid_end(tf.cast(logits, tf.float32), end, position + 1 < min_length)
        tokens = choose(logits, position)
        log_probability = tf.gather(tf.nn.log_softmax(logits), tokens, batch_dims=1)
        ids = write_at(ids, position, tf.where(running, tokens, 0))
        lengths += tf.cast(running, tf.int32)
        scores += tf.where(running, log_probability, 0.0)
        return position + 1, tokens, state, ids, lengths, scores, running & (tokens != end)

    initial = (
        tf.constant(0),
        tf.cast(start, tf.int32),
        state,
        tf.zeros([rows, max_length], tf.int32),
        tf.zeros([rows], tf.int32),
        tf.zeros([rows]),
        tf.ones([rows], tf.bool),
    )
    _, _, _, ids, lengths, scores, _ = tf.while_loop(
        lambda position, *others: (position < max_length) & tf.reduce_any(others[-1]),
        keep_shapes(body),
        initial,
    )
    return Decoded(ids, lengths, scores)
