"""Prefix beam search: the most probable texts of a network that is trained by CTC, in the graph.

The probability of a text is the sum over all its alignments with the steps, and what is known of
texts beside the sound (a language model, words that there are) is added to its logarithm: shallow
fusion. Sources: Graves et al., ICML 2006, section 3.2; Hannun et al., arXiv 1408.2873, algorithm 1.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from rnnsuite.decoding.ctc import BLANK
from rnnsuite.decoding.fusion import Fusion
from rnnsuite.decoding.step import NEGATIVE_INFINITY, Decoded

FACTOR = -7046029254386353131
"""Odd, and its bits are spread over all 64 (2^64 over the golden ratio)."""


class Prefixes(NamedTuple):
    """The live prefixes, `[batch, beam]` each.

    Attributes:
        hash: of the symbols.
        last: the last symbol; 0 of the empty prefix.
        blank, symbol: logarithms of the probability of all alignments up to here that end with a
            blank, and with the last symbol.
        added: what fusion has added.
        scores: `[batch, beam, classes]`, what each next symbol will add; under 0, what the end will
            add.
        states: of the fusion, with `batch * beam` rows.
    """

    hash: tf.Tensor
    last: tf.Tensor
    blank: tf.Tensor
    symbol: tf.Tensor
    added: tf.Tensor
    scores: tf.Tensor
    states: Any

    @property
    def total(self) -> tf.Tensor:
        """The logarithm of the probability of all alignments up to here."""
        return _sum(self.blank, self.symbol)


def prefix_beam_search(
    log_probabilities: tf.Tensor, steps: tf.Tensor, beam: int, fusion: Fusion
) -> Decoded:
    """The `beam` best texts of each row.

    A row's result does not depend on the rows beside it. With as many prefixes as there are, it is
    exact.

    Args:
        log_probabilities: `[batch, time, classes]` in nats; class 0 is the blank, and a class with
            -inf everywhere is never written.
        steps: int32 `[batch]`, how many steps are a row's own.
        beam: live prefixes.
        fusion: what is known of texts beside the sound.

    Returns:
        `Decoded` with `[batch, beam]` texts, the best first; scores are the logarithm of the
        probability (nats) and what fusion added.
    """
    rows, time, _ = tf.unstack(tf.shape(log_probabilities))
    prefixes = _begun(rows, beam, fusion)
    by_time = tf.transpose(log_probabilities, [1, 0, 2])
    history = tuple(
        tf.TensorArray(tf.int32, time, element_shape=[None, beam], clear_after_read=False)
        for _ in range(2)
    )
    shapes = tf.nest.map_structure(lambda v: v.shape, prefixes)

    def body(number, prefixes, history):
        after, parents, symbols = _advanced(prefixes, by_time[number], beam, fusion)
        own = number < steps
        after = _where(own, after, prefixes)
        parents = tf.where(own[:, None], parents, tf.range(beam))
        symbols = tf.where(own[:, None], symbols, BLANK)
        written = zip(history, (parents, symbols), strict=True)
        after = tf.nest.map_structure(tf.ensure_shape, after, shapes)
        return number + 1, after, tuple(array.write(number, row) for array, row in written)

    _, prefixes, history = tf.while_loop(
        lambda number, *_: number < time, body, (tf.constant(0), prefixes, history)
    )
    finals = prefixes.total + prefixes.added + prefixes.scores[..., BLANK]
    finals = tf.where(tf.math.is_nan(finals), NEGATIVE_INFINITY, finals)
    scores, order = tf.math.top_k(finals, beam)
    return _traced(history[0].stack(), history[1].stack(), order, scores)


def _begun(rows: tf.Tensor, beam: int, fusion: Fusion) -> Prefixes:
    """The empty prefix of each row, and slots of nothing."""
    scores, states = fusion.begin(rows * beam)
    is_first = tf.range(beam) == 0
    first = tf.broadcast_to(tf.where(is_first, 0.0, NEGATIVE_INFINITY), [rows, beam])
    return Prefixes(
        tf.zeros([rows, beam], tf.int64),
        tf.zeros([rows, beam], tf.int32),
        first,
        tf.fill([rows, beam], NEGATIVE_INFINITY),
        tf.zeros([rows, beam]),
        tf.reshape(scores, [rows, beam, scores.shape[-1]]),
        states,
    )


def _advanced(
    prefixes: Prefixes, emission: tf.Tensor, beam: int, fusion: Fusion
) -> tuple[Prefixes, tf.Tensor, tf.Tensor]:
    """The best prefixes after one more step `[batch, classes]`.

    Returns:
        They, the number of the prefix that each was before, and the symbol that it got: 0 for none.
    """
    classes = emission.shape[-1]
    stay_blank = prefixes.total + emission[:, None, BLANK]
    repeated = tf.gather(emission, prefixes.last, axis=1, batch_dims=1)
    stay_symbol = prefixes.symbol + repeated
    longer = _longer(prefixes, emission)
    joined, is_joined = _joined(prefixes, longer)
    stay_symbol = _sum(stay_symbol, joined)
    longer = tf.where(is_joined, NEGATIVE_INFINITY, longer)
    ranked = tf.concat(
        [
            _sum(stay_blank, stay_symbol) + prefixes.added,
            _flat(longer + prefixes.added[..., None] + prefixes.scores, beam * classes),
        ],
        axis=1,
    )
    _, chosen = tf.math.top_k(ranked, beam)
    is_longer = chosen >= beam
    parents = tf.where(is_longer, (chosen - beam) // classes, chosen)
    symbols = tf.where(is_longer, (chosen - beam) % classes, BLANK)

    def of_parent(values):
        return tf.gather(values, parents, batch_dims=1)

    def of_symbol(values):
        return tf.gather(of_parent(values), symbols, batch_dims=2)

    after = Prefixes(
        tf.where(is_longer, _hashed(of_parent(prefixes.hash), symbols), of_parent(prefixes.hash)),
        tf.where(is_longer, symbols, of_parent(prefixes.last)),
        tf.where(is_longer, NEGATIVE_INFINITY, of_parent(stay_blank)),
        tf.where(is_longer, of_symbol(longer), of_parent(stay_symbol)),
        of_parent(prefixes.added) + tf.where(is_longer, of_symbol(prefixes.scores), 0.0),
        of_parent(prefixes.scores),
        _rows_of(prefixes.states, parents, beam),
    )
    return _fused(after, symbols, is_longer, fusion), parents, symbols


def _longer(prefixes: Prefixes, emission: tf.Tensor) -> tf.Tensor:
    """Of every prefix with each symbol behind it `[batch, beam, classes]`: between two equal
    symbols stands a blank.
    """
    numbers = tf.range(emission.shape[-1])
    is_last = numbers == prefixes.last[..., None]
    before = tf.where(is_last, prefixes.blank[..., None], prefixes.total[..., None])
    return tf.where(numbers == BLANK, NEGATIVE_INFINITY, before + emission[:, None])


def _joined(prefixes: Prefixes, longer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What live prefixes get from shorter ones that become them.

    Args:
        prefixes: the live ones.
        longer: see `_longer`.

    Returns:
        The logarithm of its probability `[batch, beam]`, and which of `longer` are live already.
    """
    last = prefixes.last[:, None]
    # [batch, shorter, longer]: whether one with the other's last symbol behind it is the other.
    becomes = (_hashed(prefixes.hash[..., None], last) == prefixes.hash[:, None]) & (last != BLANK)
    # A slot of nothing is no prefix.
    becomes &= tf.math.is_finite(prefixes.total)[:, None]
    with_last = tf.gather(longer, tf.broadcast_to(last, tf.shape(becomes)), axis=2, batch_dims=2)
    gained = tf.reduce_logsumexp(tf.where(becomes, with_last, NEGATIVE_INFINITY), axis=1)
    symbols = tf.one_hot(prefixes.last, longer.shape[-1])
    is_live = tf.matmul(tf.cast(becomes, tf.float32), symbols) > 0
    return gained, is_live


def _fused(
    prefixes: Prefixes, symbols: tf.Tensor, is_longer: tf.Tensor, fusion: Fusion
) -> Prefixes:
    """Prefixes whose fusion has read the symbols that they got."""
    rows = _flat_rows(is_longer)

    def read():
        scores, states = fusion.step(_flat_rows(symbols), prefixes.states)
        scores = tf.reshape(scores, tf.shape(prefixes.scores))
        return (
            tf.where(is_longer[..., None], scores, prefixes.scores),
            _where(rows, states, prefixes.states),
        )

    scores, states = tf.cond(
        tf.reduce_any(is_longer), read, lambda: (prefixes.scores, prefixes.states)
    )
    return prefixes._replace(scores=scores, states=states)


def _traced(parents: tf.Tensor, symbols: tf.Tensor, order: tf.Tensor, scores: tf.Tensor) -> Decoded:
    """Texts from the last step back to the first.

    Args:
        parents, symbols: `[time, batch, beam]`, see `_advanced`.
        order: of the prefixes at the end `[batch, beam]`.
        scores: theirs.
    """

    def step(state, now):
        place, _ = state
        before, got = now
        symbol = tf.gather(got, place, batch_dims=1)
        return tf.gather(before, place, batch_dims=1), symbol

    _, written = tf.scan(step, (parents, symbols), (order, tf.zeros_like(order)), reverse=True)
    is_possible = tf.math.is_finite(scores)
    by_text = tf.transpose(written, [1, 2, 0])
    by_text = tf.where(is_possible[..., None], by_text, BLANK)
    shape = tf.shape(by_text)
    flat = tf.reshape(by_text, [shape[0] * shape[1], shape[2]])
    ids = tf.ragged.boolean_mask(flat, flat != BLANK).to_tensor()
    lengths = tf.reduce_sum(tf.cast(by_text != BLANK, tf.int32), axis=2)
    return Decoded(tf.reshape(ids, [shape[0], shape[1], tf.shape(ids)[1]]), lengths, scores)


def _sum(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """log(exp(left) + exp(right)), also of -inf."""
    largest = tf.maximum(left, right)
    difference = tf.where(tf.math.is_finite(largest), -tf.abs(left - right), 0.0)
    return tf.where(
        tf.math.is_finite(largest), largest + tf.math.log1p(tf.exp(difference)), largest
    )


def _hashed(before: tf.Tensor, symbols: tf.Tensor) -> tf.Tensor:
    """The hash of a prefix with one more symbol."""
    return (before + tf.cast(symbols, tf.int64) + 1) * FACTOR


def _flat(values: tf.Tensor, width: int) -> tf.Tensor:
    return tf.reshape(values, [-1, width])


def _flat_rows(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1])


def _rows_of(states: Any, parents: tf.Tensor, beam: int) -> Any:
    """The states of other rows' prefixes."""
    offsets = tf.range(tf.shape(parents)[0])[:, None] * beam
    rows = tf.reshape(parents + offsets, [-1])
    return tf.nest.map_structure(lambda v: tf.gather(v, rows), states)


def _where(condition: tf.Tensor, chosen: Any, otherwise: Any) -> Any:
    """`chosen` in the rows where a condition `[rows]` holds; states have several rows for each."""

    def choose(x, y):
        rows = tf.repeat(condition, tf.shape(x)[0] // tf.maximum(tf.shape(condition)[0], 1))
        return tf.where(tf.reshape(rows, [-1] + [1] * (x.shape.rank - 1)), x, y)

    return tf.nest.map_structure(choose, chosen, otherwise)
