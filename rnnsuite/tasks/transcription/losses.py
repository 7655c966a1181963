"""Connectionist temporal classification."""

import tensorflow as tf

from rnnsuite.decoding.ctc import BLANK, between_blanks, skips_a_blank
from rnnsuite.inputs.subword import END, START

IMPOSSIBLE = -1e30
"""Logarithm of a probability that is none, finite so that differences stay numbers."""


def framed(ids: tf.Tensor) -> tf.Tensor:
    """Symbols `[batch, symbols]` between a start and an end, `[batch, symbols + 2]`.

    They stand for the silence around what is said, which else a first or last symbol would take.
    """
    rows = tf.shape(ids)[0]
    wider = tf.concat([tf.fill([rows, 1], START), ids, tf.zeros([rows, 1], ids.dtype)], axis=1)
    count = tf.reduce_sum(tf.cast(ids != BLANK, tf.int32), axis=1, keepdims=True)
    return tf.where(tf.range(tf.shape(wider)[1]) == count + 1, END, wider)


def label_priors(logits: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Logarithms `[classes]` of how probable each class is over all steps, without a gradient.

    Args:
        logits: `[batch, time, classes]`.
        steps: int32 `[batch]`, how many are a row's own.
    """
    counts = tf.cast(tf.sequence_mask(steps, tf.shape(logits)[1]), tf.float32)[..., None]
    shares = tf.reduce_sum(tf.nn.softmax(tf.cast(logits, tf.float32)) * counts, axis=[0, 1])
    return tf.stop_gradient(tf.math.log(shares / tf.maximum(tf.reduce_sum(counts), 1.0) + 1e-6))


def ctc_loss(
    logits: tf.Tensor, steps: tf.Tensor, ids: tf.Tensor, discount: tf.Tensor | None = None
) -> tf.Tensor:
    """Minus the logarithm of the probability of a labelling, summed over its alignments.

    Source: Graves et al., Connectionist Temporal Classification, ICML 2006: equations 6 and 7 for
    the sums forwards and backwards in time, 16 for the gradient.

    Args:
        logits: float32 `[batch, time, classes]`; class 0 is the blank.
        steps: int32 `[batch]`, how many of the steps are a row's own.
        ids: int32 `[batch, symbols]`, 0 behind a row's last.
        discount: float32 `[classes]`, nats that a step of each class costs. A share of
            `label_priors` makes the blank dear and symbols last as long as they sound (Huang et
            al., arXiv 2406.02560).

    Returns:
        `[batch]` in nats; 0, without a gradient, for a row whose symbols need more steps than it
        has.
    """
    discount = tf.zeros(logits.shape[-1:]) if discount is None else discount
    loss: tf.Tensor = _ctc_loss(logits, steps, ids, discount)  # type: ignore[assignment]
    return loss


@tf.custom_gradient
def _ctc_loss(logits: tf.Tensor, steps: tf.Tensor, ids: tf.Tensor, discount: tf.Tensor):
    posteriors = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    logs = posteriors - discount
    symbols = between_blanks(ids)
    places = 2 * tf.reduce_sum(tf.cast(ids != BLANK, tf.int32), axis=1) + 1
    emitted = tf.einsum("btc,bsc->bts", logs, tf.one_hot(symbols, logs.shape[-1]))
    forwards, backwards = _sums(emitted, symbols, steps, places)
    total = _total(forwards, steps, places)
    is_possible = total > IMPOSSIBLE / 2
    loss = tf.where(is_possible, -total, 0.0)

    def gradient(upstream):
        joint = forwards + backwards - emitted - total[:, None, None]
        own = tf.sequence_mask(places, tf.shape(symbols)[1])[:, None]
        shares = tf.where(own, tf.exp(tf.minimum(joint, 0.0)), 0.0)
        used = tf.einsum("bts,bsc->btc", shares, tf.one_hot(symbols, logs.shape[-1]))
        counts = tf.sequence_mask(steps, tf.shape(logs)[1]) & is_possible[:, None]
        difference = tf.where(counts[..., None], tf.exp(posteriors) - used, 0.0)
        return tf.cast(difference * upstream[:, None, None], logits.dtype), None, None, None

    return loss, gradient


def needed_steps(ids: tf.Tensor) -> tf.Tensor:
    """Steps `[batch]` that labels `[batch, symbols]` need: one for each, and one between equals."""
    repeats = (ids[:, 1:] == ids[:, :-1]) & (ids[:, 1:] != BLANK)
    return tf.reduce_sum(tf.cast(ids != BLANK, tf.int32), 1) + tf.reduce_sum(
        tf.cast(repeats, tf.int32), 1
    )


def _sums(
    emitted: tf.Tensor, symbols: tf.Tensor, steps: tf.Tensor, places: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logarithms of the sums over all alignments that begin, and that end, at each place and step.

    Both directions are one loop over twice the rows, the second ones reversed in time and place.

    Args:
        emitted: `[batch, time, places]`, the logarithm of each place's probability at each step.
        symbols: `[batch, places]`.
        steps, places: how many are a row's own.

    Returns:
        Two tensors `[batch, time, places]`, both with the emission of their own step.
    """

    def reversed_rows(x):
        x = tf.reverse_sequence(x, steps, seq_axis=1)
        return tf.reverse_sequence(x, places, seq_axis=2)

    both = tf.concat([emitted, reversed_rows(emitted)], axis=0)
    labels = tf.concat([symbols, tf.reverse_sequence(symbols, places, seq_axis=1)], axis=0)
    may_skip = skips_a_blank(labels)
    by_time = tf.transpose(both, [1, 0, 2])
    start = tf.where(tf.range(tf.shape(labels)[1]) == 0, 0.0, IMPOSSIBLE)

    def step(sums, emission):
        from_before = tf.pad(sums, [[0, 0], [1, 0]], constant_values=IMPOSSIBLE)[:, :-1]
        skipped = tf.pad(sums, [[0, 0], [2, 0]], constant_values=IMPOSSIBLE)[:, :-2]
        skipped = tf.where(may_skip, skipped, IMPOSSIBLE)
        arriving = tf.reduce_logsumexp(tf.stack([sums, from_before, skipped]), axis=0)
        return tf.maximum(arriving + emission, IMPOSSIBLE)

    begun = tf.broadcast_to(start, tf.shape(labels))
    sums = tf.transpose(tf.scan(step, by_time, begun), [1, 0, 2])
    forwards, backwards = tf.split(sums, 2, axis=0)
    return forwards, reversed_rows(backwards)


def _total(forwards: tf.Tensor, steps: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The logarithm `[batch]` of the sum over all alignments that end at a row's last step."""
    last = tf.gather(forwards, tf.maximum(steps - 1, 0), axis=1, batch_dims=1)
    at_end = tf.gather(last, places - 1, axis=1, batch_dims=1)
    at_symbol = tf.gather(last, tf.maximum(places - 2, 0), axis=1, batch_dims=1)
    at_symbol = tf.where(places > 1, at_symbol, IMPOSSIBLE)
    total = tf.reduce_logsumexp(tf.stack([at_end, at_symbol]), axis=0)
    return tf.where(steps > 0, total, tf.where(places > 1, IMPOSSIBLE, 0.0))
