"""From `step(tokens, state) -> (logits, state)` to sequences, in the graph with stock operations.

tokens `[rows]` int32, logits `[rows, vocabulary]`, state any nest of tensors with the rows first.
A row's result does not depend on the rows beside it. Lengths count the end; what follows it is 0.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

Step = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
NONE = float("-inf")  # the score of a hypothesis that there is not


class Decoded(NamedTuple):
    """`ids` int32 `[batch, ..., most]`, `lengths` int32 and `scores` float32 `[batch, ...]`; of beam search `...` is n.

    Where there are fewer hypotheses than asked for, the last ones have length 0 and score -inf.
    """

    ids: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def greedy(step: Step, state: Any, start: tf.Tensor, end: int, most: int, least: int = 0) -> Decoded:
    """The most probable token after the other, up to `end` or `most` tokens; `scores` are log-probabilities (nats).

    start: `[batch]`, the tokens before the first. least: tokens before `end` may come.
    """
    return _follow(step, state, start, end, most, least, lambda logits, _: tf.argmax(logits, -1, tf.int32))


def sample(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    most: int,
    seed: tf.Tensor,
    least: int = 0,
    temperature: tf.Tensor | float = 1.0,
    top_k: tf.Tensor | int = 0,
    top_p: tf.Tensor | float = 1.0,
) -> Decoded:
    """As `greedy`, but each token drawn from softmax(logits / temperature), cut down to what is likely.

    seed: int32 scalar; the same seed gives a row at the same place the same sequence. top_k: of
    the k most probable tokens (Fan et al., arXiv 1805.04833), 0 for all. top_p: of the fewest
    that hold so much probability (nucleus; Holtzman et al., arXiv 1904.09751). A temperature
    of 0 is `greedy`. `scores` are log-probabilities of the model itself, uncut and at temperature 1.
    """
    temperature = tf.convert_to_tensor(temperature, tf.float32)

    def choose(logits, place):
        kept = likely(logits / tf.maximum(temperature, 1e-6), top_k, top_p)
        noise = tf.random.stateless_uniform(tf.shape(logits), tf.stack([seed, place]), 1e-20, 1.0)
        # The largest of logits with Gumbel noise is a draw from their softmax.
        drawn = tf.argmax(kept - tf.math.log(-tf.math.log(noise)), -1, tf.int32)
        return tf.where(temperature > 0, drawn, tf.argmax(logits, -1, tf.int32))

    return _follow(step, state, start, end, most, least, choose)


def likely(logits: tf.Tensor, top_k: tf.Tensor | int, top_p: tf.Tensor | float) -> tf.Tensor:
    """Logits `[rows, vocabulary]` with -inf for all but the `top_k` largest (0 for all), and of these the nucleus."""
    size = logits.shape[-1]
    order = tf.argsort(logits, axis=-1, direction="DESCENDING", stable=True)
    place = tf.argsort(order, axis=-1)  # each token's rank
    top_k = tf.convert_to_tensor(top_k, tf.int32)
    logits = tf.where(place < tf.where(top_k > 0, top_k, size), logits, NONE)
    ranked = tf.gather(tf.nn.softmax(logits), order, batch_dims=1)
    before = tf.cumsum(ranked, axis=-1, exclusive=True)
    within = tf.gather(before < tf.maximum(tf.convert_to_tensor(top_p, tf.float32), 1e-9), place, batch_dims=1)
    return tf.where(within, logits, NONE)


def _follow(step, state, start, end, most, least, choose) -> Decoded:
    rows = tf.shape(start)[0]

    def body(place, tokens, state, ids, lengths, scores, running):
        logits, state = step(tokens, state)
        logits = _without_end(tf.cast(logits, tf.float32), end, place + 1 < least)
        tokens = choose(logits, place)
        gained = tf.gather(tf.nn.log_softmax(logits), tokens, batch_dims=1)
        ids = _written(ids, place, tf.where(running, tokens, 0))
        lengths += tf.cast(running, tf.int32)
        scores += tf.where(running, gained, 0.0)
        return place + 1, tokens, state, ids, lengths, scores, running & (tokens != end)

    begin = (
        tf.constant(0), tf.cast(start, tf.int32), state, tf.zeros([rows, most], tf.int32),
        tf.zeros([rows], tf.int32), tf.zeros([rows]), tf.ones([rows], tf.bool),
    )  # fmt: skip
    _, _, _, ids, lengths, scores, _ = tf.while_loop(
        lambda place, *others: (place < most) & tf.reduce_any(others[-1]), _steady(body), begin
    )
    return Decoded(ids, lengths, scores)


def beam_search(
    step: Step,
    state: Any,
    start: tf.Tensor,
    end: int,
    beam: int,
    most: tf.Tensor | int,
    least: tf.Tensor | int = 0,
    length_penalty: tf.Tensor | float = 0.0,
    coverage_penalty: tf.Tensor | float = 0.0,
    attended: Callable[[Any], tf.Tensor] | None = None,
) -> Decoded:
    """The `beam` best hypotheses, best first: log P / lp + cp (Wu et al., arXiv 1609.08144, eq. 14).

    lp = ((5 + length) / 6) ^ length_penalty; cp = coverage_penalty * sum of log(min(attention, 1))
    over the memory's positions. attended(state): the attention `[rows, positions]` that each
    position has had so far; 1 at padding. A hypothesis ends with `end`, where that is among the
    `beam` best continuations, or at `most` tokens; `end` may come as token number `least` at the
    earliest. A row is done when as many have ended, or when none that is under way can become
    better than those that have. A beam of one is `greedy`, one as wide as the space is exact.
    """
    search = _Search(
        step, end, beam, tf.shape(start)[0], tf.convert_to_tensor(most), tf.convert_to_tensor(least),
        tf.convert_to_tensor(length_penalty, tf.float32), tf.convert_to_tensor(coverage_penalty, tf.float32), attended,
    )  # fmt: skip
    return search.run(tf.cast(start, tf.int32), tf.nest.map_structure(lambda v: tf.repeat(v, beam, axis=0), state))


@dataclasses.dataclass(frozen=True)
class _Search:
    """A beam search: what does not change while it runs. K hypotheses of each of B rows are under way."""

    step: Step
    end: int
    beam: int
    batch: tf.Tensor
    most: tf.Tensor
    least: tf.Tensor
    length_penalty: tf.Tensor
    coverage_penalty: tf.Tensor
    attended: Callable[[Any], tf.Tensor] | None

    def run(self, start: tf.Tensor, state: Any) -> Decoded:
        row = [self.batch, self.beam]
        nothing = Decoded(tf.zeros([*row, self.most], tf.int32), tf.zeros(row, tf.int32), tf.fill(row, NONE))
        first = tf.where(tf.range(self.beam) == 0, 0.0, NONE) + tf.zeros([self.batch, 1])
        count, done = tf.zeros([self.batch], tf.int32), tf.zeros([self.batch], tf.bool)

        def body(place, tokens, state, ids, sums, ended, count, done, _):
            sums_BxKxC, tokens_BxKxC, state = self._continued(place, tokens, state, sums)
            cover = self._covered(state)
            ended, more = self._ending(place, sums_BxKxC, tokens_BxKxC, ids, cover, ended, done)
            parents, tokens, sums = self._going_on(sums_BxKxC, tokens_BxKxC)
            state = tf.nest.map_structure(lambda v: self._of_parents(v, parents), state)
            ids = _written(tf.gather(ids, parents, batch_dims=1), place, tokens)
            # Log-probabilities only fall, and penalties of coverage are none at best.
            bound = sums[:, 0] / tf.maximum(self._penalty(self.most), self._penalty(place + 1))
            count += more
            done |= (count >= self.beam) | (bound <= ended.scores[:, -1])
            return place + 1, tokens, state, ids, sums, ended, count, done, tf.gather(cover, parents, batch_dims=1)

        tokens = tf.repeat(start[:, None], self.beam, axis=1)
        begin = (tf.constant(0), tokens, state, nothing.ids, first, nothing, count, done, tf.zeros(row))
        place, _, _, ids, sums, ended, _, done, cover = tf.while_loop(
            lambda place, *others: (place < self.most) & ~tf.reduce_all(others[6]), _steady(body), begin
        )
        # Where there was no more room, those under way have ended too.
        lasts = tf.where(done[:, None], NONE, sums / self._penalty(place) + cover)
        ended = _best(self.beam, ended, (ids, tf.fill(row, place), lasts))
        there = ended.scores > NONE
        return Decoded(tf.where(there[..., None], ended.ids, 0), tf.where(there, ended.lengths, 0), ended.scores)

    def _penalty(self, length):
        return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, self.length_penalty)

    def _covered(self, state):
        if self.attended is None:
            return tf.zeros([self.batch, self.beam])
        logs = tf.math.log(tf.clip_by_value(self.attended(state), 1e-10, 1.0))
        return self.coverage_penalty * tf.reshape(tf.reduce_sum(logs, axis=-1), [self.batch, self.beam])

    def _continued(self, place, tokens, state, sums):
        """The continuations that may be among the best: log-probabilities and tokens, and the state behind them.

        Of each hypothesis the C = K + 1 best: no more of one can be among the K best of all,
        with or without the end.
        """
        logits, state = self.step(tf.reshape(tokens, [-1]), state)
        logits = _without_end(tf.cast(logits, tf.float32), self.end, place + 1 < self.least)
        best, tokens = tf.math.top_k(logits, tf.minimum(self.beam + 1, logits.shape[-1]))
        logs = best - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
        shape = [self.batch, self.beam, tf.shape(best)[-1]]
        return sums[:, :, None] + tf.reshape(logs, shape), tf.reshape(tokens, shape), state

    def _best_of(self, sums_BxKxC, tokens_BxKxC):
        """The K best continuations: their sums, the hypotheses that they continue, and the tokens."""
        each = tf.shape(sums_BxKxC)[-1]
        best, chosen = tf.math.top_k(tf.reshape(sums_BxKxC, [self.batch, self.beam * each]), self.beam)
        tokens = tf.gather(tf.reshape(tokens_BxKxC, [self.batch, self.beam * each]), chosen, batch_dims=1)
        return best, chosen // each, tokens

    def _ending(self, place, sums_BxKxC, tokens_BxKxC, ids, cover, ended, done):
        """What has ended, with those of the best continuations that end now; and how many they are."""
        best, parents, tokens = self._best_of(sums_BxKxC, tokens_BxKxC)
        ends = (tokens == self.end) & (best > NONE) & ~done[:, None]
        scores = best / self._penalty(place + 1) + tf.gather(cover, parents, batch_dims=1)
        theirs = _written(tf.gather(ids, parents, batch_dims=1), place, self.end)
        lengths = tf.fill([self.batch, self.beam], place + 1)
        ended = _best(self.beam, ended, (theirs, lengths, tf.where(ends, scores, NONE)))
        return ended, tf.reduce_sum(tf.cast(ends, tf.int32), axis=1)

    def _going_on(self, sums_BxKxC, tokens_BxKxC):
        """Parents, tokens and sums of the best continuations that do not end."""
        sums, parents, tokens = self._best_of(tf.where(tokens_BxKxC == self.end, NONE, sums_BxKxC), tokens_BxKxC)
        return parents, tokens, sums

    def _of_parents(self, v, parents):
        """The rows of `[B * K, ...]` that the hypotheses go on from."""
        rows = tf.range(self.batch)[:, None] * self.beam + parents
        return tf.gather(v, tf.reshape(rows, [-1]))


def _best(beam, one, other) -> Decoded:
    """The best of two sets of hypotheses; of equal ones those that came first."""
    ids, lengths, scores = (tf.concat(each, axis=1) for each in zip(one, other, strict=True))
    scores, chosen = tf.math.top_k(scores, beam)
    return Decoded(tf.gather(ids, chosen, batch_dims=1), tf.gather(lengths, chosen, batch_dims=1), scores)


def _written(ids, place, tokens):
    """ids `[..., most]` with `tokens` `[...]`, or one token, at `place`."""
    at = tf.range(tf.shape(ids)[-1]) == place
    return tf.where(at, tf.expand_dims(tf.broadcast_to(tokens, tf.shape(ids)[:-1]), -1), ids)


def _without_end(logits, end, early):
    return tf.where((tf.range(logits.shape[-1]) == end) & early, NONE, logits)


def _steady(body):
    """A loop's body that loses nothing of what is known of its variables' shapes."""

    def steady(*before):
        return tf.nest.map_structure(lambda v, old: tf.ensure_shape(v, old.shape), body(*before), before)

    return steady
