"""Beam search in the graph. Shapes: B rows, K hypotheses each, C continuations of each."""

import dataclasses
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


def beam_search(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    beam: int,
    max_length: tf.Tensor | int,
    min_length: tf.Tensor | int = 0,
    length_penalty: tf.Tensor | float = 0.0,
    coverage_penalty: tf.Tensor | float = 0.0,
    coverage: Callable[[Any], tf.Tensor] | None = None,
) -> Decoded:
    """The `beam` best hypotheses: log P / lp + cp (Wu et al., arXiv 1609.08144, eq. 14).

    lp = ((5 + length) / 6) ^ length_penalty, and cp = coverage_penalty * sum of
    log(min(attention, 1)) over the memory's positions. A hypothesis ends with `end`, where that is
    among the `beam` best continuations, or at `max_length` tokens. A row is done when `beam`
    hypotheses have ended, or when no live one can become better than those. A beam of one is
    `greedy`; one as wide as the space is exact.

    Args:
        step: the model, on `[batch * beam]` rows; see `rnnsuite.decoding.step`.
        state: its state before the first step, for `[batch]` rows.
        start: int32 `[batch]`, the token before the first one.
        end: the token that ends a sequence.
        beam: live hypotheses of each row.
        max_length: tokens at most.
        min_length: the earliest place of `end`, counted from 1.
        length_penalty: 0 for the most probable sequence, 1 for the most probable per token.
        coverage_penalty: how much it counts that all of the memory was attended.
        coverage: `coverage(state)` is the attention `[rows, positions]` that each position has had
            so far; 1 at padding.

    Returns:
        `Decoded` with `[batch, beam]` hypotheses, best first.
    """
    search = _Search(
        step,
        end,
        beam,
        tf.shape(start)[0],
        tf.convert_to_tensor(max_length),
        tf.convert_to_tensor(min_length),
        tf.convert_to_tensor(length_penalty, tf.float32),
        tf.convert_to_tensor(coverage_penalty, tf.float32),
        coverage,
    )
    repeated = tf.nest.map_structure(lambda v: tf.repeat(v, beam, axis=0), state)
    return search.run(tf.cast(start, tf.int32), repeated)


@dataclasses.dataclass(frozen=True)
class _Search:
    """A beam search: what does not change while it runs."""

    step: Step
    end: int
    beam: int
    batch: tf.Tensor
    max_length: tf.Tensor
    min_length: tf.Tensor
    length_penalty: tf.Tensor
    coverage_penalty: tf.Tensor
    coverage: Callable[[Any], tf.Tensor] | None

    def run(self, start: tf.Tensor, state: Any) -> Decoded:
        slots = [self.batch, self.beam]
        empty = Decoded(
            tf.zeros([*slots, self.max_length], tf.int32),
            tf.zeros(slots, tf.int32),
            tf.fill(slots, NEGATIVE_INFINITY),
        )
        # At first all hypotheses are the same one: only the first slot is live.
        first = tf.where(tf.range(self.beam) == 0, 0.0, NEGATIVE_INFINITY)
        initial = (
            tf.constant(0),
            tf.repeat(start[:, None], self.beam, axis=1),
            state,
            empty.ids,
            first + tf.zeros([self.batch, 1]),
            empty,
            tf.zeros([self.batch], tf.int32),
            tf.zeros([self.batch], tf.bool),
            tf.zeros(slots),
        )
        position, _, _, ids, sums, ended, _, done, cover = tf.while_loop(
            lambda position, *others: (position < self.max_length) & ~tf.reduce_all(others[6]),
            keep_shapes(self._advance),
            initial,
        )
        # At max_length, live hypotheses count as finished.
        scores = sums / self._penalty(position) + cover
        scores = tf.where(done[:, None], NEGATIVE_INFINITY, scores)
        ended = _best(self.beam, ended, Decoded(ids, tf.fill(slots, position), scores))
        is_filled = ended.scores > NEGATIVE_INFINITY
        return Decoded(
            tf.where(is_filled[..., None], ended.ids, 0),
            tf.where(is_filled, ended.lengths, 0),
            ended.scores,
        )

    def _advance(self, position, tokens, state, ids, sums, ended, count, done, _):
        sums_BxKxC, tokens_BxKxC, state = self._continuations(position, tokens, state, sums)
        cover = self._coverage_score(state)
        ended, newly_ended = self._end(position, sums_BxKxC, tokens_BxKxC, ids, cover, ended, done)
        parents, tokens, sums = self._survivors(sums_BxKxC, tokens_BxKxC)
        state = tf.nest.map_structure(lambda v: self._gather_parents(v, parents), state)
        ids = write_at(tf.gather(ids, parents, batch_dims=1), position, tokens)
        # Log-probabilities only fall, and penalties of coverage are none at best.
        penalty = tf.maximum(self._penalty(self.max_length), self._penalty(position + 1))
        bound = sums[:, 0] / penalty
        count += newly_ended
        done |= (count >= self.beam) | (bound <= ended.scores[:, -1])
        cover = tf.gather(cover, parents, batch_dims=1)
        return position + 1, tokens, state, ids, sums, ended, count, done, cover

    def _penalty(self, length):
        return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, self.length_penalty)

    def _coverage_score(self, state):
        if self.coverage is None:
            return tf.zeros([self.batch, self.beam])
        logs = tf.math.log(tf.clip_by_value(self.coverage(state), 1e-10, 1.0))
        sums = tf.reshape(tf.reduce_sum(logs, axis=-1), [self.batch, self.beam])
        return self.coverage_penalty * sums

    def _continuations(self, position, tokens, state, sums):
        """The continuations that may be among the best: log-probabilities, tokens, next state.

        Of each hypothesis the C = K + 1 best: no more of one can be among the K best of all, with
        or without the end.
        """
        logits, state = self.step(tf.reshape(tokens, [-1]), state)
        early = position + 1 < self.min_length
        logits = forbid_end(tf.cast(logits, tf.float32), self.end, early)
        best, tokens = tf.math.top_k(logits, tf.minimum(self.beam + 1, logits.shape[-1]))
        logs = best - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
        shape = [self.batch, self.beam, tf.shape(best)[-1]]
        return sums[:, :, None] + tf.reshape(logs, shape), tf.reshape(tokens, shape), state

    def _best_of(self, sums_BxKxC, tokens_BxKxC):
        """The K best continuations: their sums, the hypotheses they continue, their tokens."""
        choices = tf.shape(sums_BxKxC)[-1]
        flat = [self.batch, self.beam * choices]
        best, chosen = tf.math.top_k(tf.reshape(sums_BxKxC, flat), self.beam)
        tokens = tf.gather(tf.reshape(tokens_BxKxC, flat), chosen, batch_dims=1)
        return best, chosen // choices, tokens

    def _end(self, position, sums_BxKxC, tokens_BxKxC, ids, cover, ended, done):
        """The ended hypotheses with those that end now, and how many these are."""
        best, parents, tokens = self._best_of(sums_BxKxC, tokens_BxKxC)
        ends = (tokens == self.end) & (best > NEGATIVE_INFINITY) & ~done[:, None]
        scores = best / self._penalty(position + 1) + tf.gather(cover, parents, batch_dims=1)
        new_ids = write_at(tf.gather(ids, parents, batch_dims=1), position, self.end)
        lengths = tf.fill([self.batch, self.beam], position + 1)
        scores = tf.where(ends, scores, NEGATIVE_INFINITY)
        ended = _best(self.beam, ended, Decoded(new_ids, lengths, scores))
        return ended, tf.reduce_sum(tf.cast(ends, tf.int32), axis=1)

    def _survivors(self, sums_BxKxC, tokens_BxKxC):
        """Parents, tokens and sums of the best continuations that do not end."""
        live = tf.where(tokens_BxKxC == self.end, NEGATIVE_INFINITY, sums_BxKxC)
        sums, parents, tokens = self._best_of(live, tokens_BxKxC)
        return parents, tokens, sums

    def _gather_parents(self, v, parents):
        """The rows of `[B * K, ...]` that the hypotheses continue."""
        rows = tf.range(self.batch)[:, None] * self.beam + parents
        return tf.gather(v, tf.reshape(rows, [-1]))


def _best(beam: int, first: Decoded, second: Decoded) -> Decoded:
    """The best of two sets of hypotheses; of equal ones those of the first set."""
    ids, lengths, scores = (tf.concat(pair, axis=1) for pair in zip(first, second, strict=True))
    scores, chosen = tf.math.top_k(scores, beam)
    return Decoded(
        tf.gather(ids, chosen, batch_dims=1), tf.gather(lengths, chosen, batch_dims=1), scores
    )
