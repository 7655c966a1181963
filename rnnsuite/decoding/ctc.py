"""The most probable alignment of a network's symbols with its steps, and where symbols stand.

Everywhere class 0 is the blank: a symbol said at several steps in a row is one symbol, and a blank
stands between equal ones (Graves et al., Connectionist Temporal Classification, ICML 2006).
"""

from typing import NamedTuple

import tensorflow as tf

from rnnsuite.decoding.step import NEGATIVE_INFINITY, Decoded

BLANK = 0


class Aligned(NamedTuple):
    """Where symbols stand.

    Attributes:
        first, last: int32 `[batch, symbols]`, the first and the last step of each; -1 for padding.
        scores: `[batch]`, the logarithm of the alignment's probability (nats); -inf where symbols
            do not fit into the steps.
    """

    first: tf.Tensor
    last: tf.Tensor
    scores: tf.Tensor


def ctc_greedy(log_probabilities: tf.Tensor, steps: tf.Tensor) -> Decoded:
    """The symbols of the most probable alignment: the likeliest class at every step.

    Args:
        log_probabilities: `[batch, time, classes]`, in nats.
        steps: int32 `[batch]`, how many steps are a row's own.

    Returns:
        `Decoded` with ids `[batch, symbols]`, 0 behind a row's last, and the logarithm of the
        alignment's probability.
    """
    best = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)
    own = tf.sequence_mask(steps, tf.shape(best)[1])
    before = tf.pad(best, [[0, 0], [1, 0]])[:, :-1]
    is_new = own & (best != BLANK) & (best != before)
    ids = tf.ragged.boolean_mask(best, is_new)
    scores = tf.where(own, tf.reduce_max(log_probabilities, axis=-1), 0.0)
    lengths = tf.reduce_sum(tf.cast(is_new, tf.int32), axis=1)
    return Decoded(ids.to_tensor(), lengths, tf.reduce_sum(scores, axis=1))


def between_blanks(ids: tf.Tensor) -> tf.Tensor:
    """Symbols `[batch, n]` with a blank before and behind each, `[batch, 2 n + 1]`."""
    pairs = tf.stack([tf.zeros_like(ids), ids], axis=2)
    return tf.pad(tf.reshape(pairs, [tf.shape(ids)[0], -1]), [[0, 0], [0, 1]])


def skips_a_blank(symbols: tf.Tensor) -> tf.Tensor:
    """Which of `between_blanks` may follow the symbol before them without the blank between."""
    before = tf.pad(symbols, [[0, 0], [2, 0]])[:, :-2]
    return (symbols != BLANK) & (symbols != before)


def ctc_align(log_probabilities: tf.Tensor, steps: tf.Tensor, ids: tf.Tensor) -> Aligned:
    """The most probable alignment of given symbols (Viterbi 1967).

    Args:
        log_probabilities: `[batch, time, classes]`, in nats.
        steps: int32 `[batch]`.
        ids: int32 `[batch, symbols]`, 0 behind a row's last.

    Returns:
        The steps of every symbol.
    """
    rows, count = tf.unstack(tf.shape(ids))
    symbols = between_blanks(ids)
    places = tf.shape(symbols)[1]
    emitted = tf.gather(log_probabilities, symbols, axis=2, batch_dims=1)
    may_skip = skips_a_blank(symbols)
    begun = tf.where(tf.range(places) == 0, 0.0, NEGATIVE_INFINITY)
    best, moves = _best_moves(emitted, may_skip, tf.broadcast_to(begun, [rows, places]))
    total = 2 * tf.reduce_sum(tf.cast(ids != BLANK, tf.int32), axis=1) + 1
    last = tf.gather(best, tf.maximum(steps - 1, 0), axis=1, batch_dims=1)
    at_end = tf.gather(last, total - 1, axis=1, batch_dims=1)
    at_symbol = tf.gather(last, tf.maximum(total - 2, 0), axis=1, batch_dims=1)
    at_symbol = tf.where(total > 1, at_symbol, NEGATIVE_INFINITY)
    place = tf.where(at_symbol > at_end, total - 2, total - 1)
    visited = _followed(moves, steps, place)
    scores = tf.where(
        steps > 0, tf.maximum(at_end, at_symbol), tf.where(total > 1, NEGATIVE_INFINITY, 0.0)
    )
    return _stretches(visited, count, scores)


def _best_moves(
    emitted: tf.Tensor, may_skip: tf.Tensor, begun: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The best alignment that ends at each place, and by how many places it moved to get there.

    Both `[batch, time, places]`.
    """

    def step(state, emission):
        sums, _ = state
        ways = tf.stack([sums, _moved(sums, 1), tf.where(may_skip, _moved(sums, 2), -float("inf"))])
        return tf.reduce_max(ways, axis=0) + emission, tf.argmax(ways, 0, tf.int32)

    by_time = tf.transpose(emitted, [1, 0, 2])
    sums, moves = tf.scan(step, by_time, (begun, tf.zeros(tf.shape(begun), tf.int32)))
    return tf.transpose(sums, [1, 0, 2]), tf.transpose(moves, [1, 0, 2])


def _moved(sums: tf.Tensor, places: int) -> tf.Tensor:
    padded = tf.pad(sums, [[0, 0], [places, 0]], constant_values=NEGATIVE_INFINITY)
    return padded[:, :-places]


def _followed(moves: tf.Tensor, steps: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """The place `[batch, time]` at every step, from the last back to the first; -1 behind it."""
    time = tf.shape(moves)[1]

    def step(after, now):
        here, move, _ = after
        number, moved = now
        own = number < steps
        here = tf.where(own, here - move, here)
        move = tf.where(own, tf.gather(moved, tf.maximum(here, 0), axis=1, batch_dims=1), 0)
        return here, move, tf.where(own, here, -1)

    zeros = tf.zeros_like(place)
    elements = (tf.range(time), tf.transpose(moves, [1, 0, 2]))
    _, _, visited = tf.scan(step, elements, (place, zeros, zeros), reverse=True)
    return tf.transpose(visited)


def _stretches(visited: tf.Tensor, count: tf.Tensor, scores: tf.Tensor) -> Aligned:
    """First and last step of every symbol, of the places visited at every step."""
    time = tf.shape(visited)[1]
    places = 2 * tf.range(count) + 1
    is_here = visited[:, :, None] == places
    numbers = tf.range(time)[None, :, None]
    first = tf.reduce_min(tf.where(is_here, numbers, time), axis=1)
    last = tf.reduce_max(tf.where(is_here, numbers, -1), axis=1)
    return Aligned(tf.where(first == time, -1, first), last, scores)
