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
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    max_length: tf.Tensor | int,
    min_length: int = 0,
    is_stopped: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
) -> Decoded:
    """The most probable token at every step.

    Args:
        step: the model; see `rnnsuite.decoding.step`.
        state: its state before the first step.
        start: int32 `[batch]`, the token before the first one.
        end: the token that ends a sequence.
        max_length: tokens at most.
        min_length: tokens before `end` may come.
        is_stopped: `is_stopped(ids, position)` tells which rows of ids `[batch, max_length]`,
            written up to a position, end there without `end`; None for none.

    Returns:
        `Decoded`, whose scores are log-probabilities in nats.
    """

    def choose(logits, position):
        return tf.argmax(logits, -1, tf.int32)

    return _decode_loop(step, state, start, end, max_length, min_length, choose, is_stopped)


def sample(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    max_length: tf.Tensor | int,
    seed: tf.Tensor,
    min_length: int = 0,
    temperature: tf.Tensor | float = 1.0,
    top_k: tf.Tensor | int = 0,
    top_p: tf.Tensor | float = 1.0,
    is_stopped: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
) -> Decoded:
    """Draws every token from softmax(logits / temperature), cut down to the likely ones.

    Args:
        step, state, start, end, max_length, min_length: as `greedy` takes them.
        seed: int32, of each row `[batch]`, or one for all, from which the rows' are made; the same
            seed gives a row the same sequence.
        temperature: 0 is `greedy`.
        top_k: of the k most probable tokens (Fan et al., arXiv 1805.04833); 0 for all.
        top_p: of the fewest tokens that hold this probability (nucleus; Holtzman et al., arXiv
            1904.09751).
        is_stopped: see `greedy`.

    Returns:
        `Decoded`, whose scores are log-probabilities (nats) of the model itself, uncut and at
        temperature 1.
    """
    seeds = row_seeds(seed, tf.shape(start)[0])

    def choose(logits, position):
        return draw(logits, uniform(seeds, position), temperature, top_k, top_p)

    return _decode_loop(step, state, start, end, max_length, min_length, choose, is_stopped)


def draw(
    logits: tf.Tensor,
    uniform: tf.Tensor,
    temperature: tf.Tensor | float = 1.0,
    top_k: tf.Tensor | int = 0,
    top_p: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """A token of each row, drawn by the inverse of the distribution function.

    Args:
        logits: `[rows, vocabulary]`.
        uniform: `[rows]`, numbers in [0, 1).
        temperature, top_k, top_p: as `sample` takes them.

    Returns:
        int32 `[rows]`.
    """
    temperature = tf.convert_to_tensor(temperature, tf.float32)
    top_k = tf.convert_to_tensor(top_k, tf.int32)
    top_p = tf.maximum(tf.convert_to_tensor(top_p, tf.float32), 1e-9)
    likeliest = tf.argmax(logits, -1, tf.int32)
    warm = logits / tf.maximum(temperature, 1e-6)

    def drawn(ranked, tokens):
        sums = tf.cumsum(tf.nn.softmax(ranked), axis=-1)
        place = tf.searchsorted(sums, (uniform * sums[:, -1])[:, None], side="right")[:, 0]
        place = tf.minimum(place, tf.shape(ranked)[-1] - 1)
        return place if tokens is None else tf.gather(tokens, place, batch_dims=1)

    def of_the_likely():
        ranked, tokens = tf.math.top_k(warm, logits.shape[-1])
        rank = tf.range(logits.shape[-1])
        ranked = tf.where(rank < tf.where(top_k > 0, top_k, rank + 1), ranked, NEGATIVE_INFINITY)
        before = tf.cumsum(tf.nn.softmax(ranked), axis=-1, exclusive=True)
        return drawn(tf.where(before < top_p, ranked, NEGATIVE_INFINITY), tokens)

    token = tf.cond((top_k > 0) | (top_p < 1), of_the_likely, lambda: drawn(warm, None))
    return tf.where(temperature > 0, token, likeliest)


GOLDEN = 0x9E3779B1
"""2^32 over the golden ratio, which spreads numbers that follow each other."""
MIX = (0x7FEB352D, 0x846CA68B)
"""Multipliers of a hash of 32 bits (C. Wellons, "lowbias32", 2018)."""


def row_seeds(seed: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """A seed for each row.

    Args:
        seed: of each row already `[rows]`, or one for all `[]`.
        rows: how many there are.

    Returns:
        int64 `[rows]`.
    """
    seed = tf.cast(seed, tf.int64)
    return seed if seed.shape.rank else _hashed(seed * GOLDEN + tf.range(rows, dtype=tf.int64))


def text_seeds(ids: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A seed `[rows]` of each row's tokens and of one seed for all.

    Args:
        ids: `[rows, time]`.
        mask: booleans `[rows, time]`, false at padding.
        seed: an integer.

    Returns:
        int32 `[rows]`: what stands beside a row in a batch changes nothing.
    """
    places = tf.range(tf.shape(ids)[1], dtype=tf.int64)
    mixed = _hashed(tf.cast(ids, tf.int64) * GOLDEN + places)
    total = tf.reduce_sum(tf.where(mask, mixed, 0), axis=1)
    mixed = _hashed(total + tf.cast(seed, tf.int64) * GOLDEN)
    return tf.cast(tf.bitwise.right_shift(mixed, tf.constant(1, tf.int64)), tf.int32)


def uniform(seeds: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Uniform numbers of each row, the same on every machine.

    `rnnsuite.device.language` has the same procedure, so that devices draw the same text.

    Args:
        seeds: of the rows `[rows]`.
        position: of the token in its text, from 0.

    Returns:
        float32 `[rows]` in [0, 1).
    """
    mixed = _hashed(_hashed(tf.cast(seeds, tf.int64)) + tf.cast(position, tf.int64))
    return tf.cast(tf.bitwise.right_shift(mixed, tf.constant(8, tf.int64)), tf.float32) / 2**24


def _hashed(x: tf.Tensor) -> tf.Tensor:
    """A hash of 32 bits in int64."""
    low = tf.constant(0xFFFFFFFF, tf.int64)
    x = tf.bitwise.bitwise_and(x, low)
    for shift, factor in zip((16, 15), MIX, strict=True):
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.int64)))
        # The product's low 32 bits, in two halves that do not overflow.
        high = tf.bitwise.right_shift(x, tf.constant(16, tf.int64)) * factor
        high = tf.bitwise.bitwise_and(high, tf.constant(0xFFFF, tf.int64)) * 65536
        x = tf.bitwise.bitwise_and(x, tf.constant(0xFFFF, tf.int64)) * factor + high
        x = tf.bitwise.bitwise_and(x, low)
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(16, tf.int64)))


def _decode_loop(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    max_length: tf.Tensor | int,
    min_length: int,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    is_stopped: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None,
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
        running &= tokens != end
        if is_stopped is not None:
            running &= ~is_stopped(ids, position)
        return position + 1, tokens, state, ids, lengths, scores, running

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
