"""Masked losses."""

import tensorflow as tf


def token_losses(ids: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> dict[str, tf.Tensor]:
    """Per-row losses and accuracy of predicted tokens.

    Rows are weighted by their tokens, so that the mean over the batch is the mean over its tokens.

    Args:
        ids: `[batch, time]`; 0 is padding.
        logits: `[batch, time, vocabulary]`.
        smoothing: share of probability spread evenly over the vocabulary (Szegedy et al., arXiv
            1512.00567, section 7).

    Returns:
        `[batch]` each: `loss`, cross-entropy in nats against smoothed labels; `nll`, against the
        labels alone; `accuracy`, share of right tokens.
    """
    size = logits.shape[-1]
    mask = tf.cast(ids > 0, tf.float32)
    labels = tf.one_hot(ids, size, 1.0 - smoothing + smoothing / size, smoothing / size)
    smoothed = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    plain = tf.nn.sparse_softmax_cross_entropy_with_logits(ids, tf.stop_gradient(logits))
    right = tf.cast(tf.argmax(logits, -1, tf.int32) == ids, tf.float32)
    a_row = tf.maximum(tf.reduce_sum(mask) / tf.cast(tf.shape(ids)[0], tf.float32), 1.0)

    def per_row(values):
        # Padding adds nothing, whatever stands there.
        return tf.reduce_sum(tf.where(mask > 0, values, 0.0), axis=-1) / a_row

    return {"loss": per_row(smoothed), "nll": per_row(plain), "accuracy": per_row(right)}


def caption_losses(
    ids: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0
) -> dict[str, tf.Tensor]:
    """`token_losses` of several sequences of a row.

    Args:
        ids: `[batch, sequences, time]`; 0 is padding.
        logits: `[batch, sequences, time, vocabulary]`.
        smoothing: see `token_losses`.
    """
    shape = tf.shape(ids)
    flat = [shape[0], shape[1] * shape[2]]
    logits = tf.reshape(logits, [*flat, logits.shape[-1]])
    return token_losses(tf.reshape(ids, flat), logits, smoothing)


def attention_spread(ids: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """How far attention is from being the same for all positions (doubly stochastic attention).

    The mean of (1 - sum over a sequence's tokens of their weights)^2 over the positions, and over
    the sequences of a row that have any token (Xu et al., arXiv 1502.03044, eq. 14).

    Args:
        ids: `[batch, sequences, time]`; 0 is padding.
        weights: `[batch, sequences, time, positions]`.

    Returns:
        `[batch]`.
    """
    mask = tf.cast(ids > 0, weights.dtype)
    totals = tf.reduce_sum(tf.where(mask[..., None] > 0, weights, 0.0), axis=2)
    is_present = tf.reduce_max(mask, axis=2)
    spread = tf.reduce_mean(tf.square(1.0 - totals), axis=-1)
    return tf.reduce_sum(spread * is_present, axis=1) / tf.maximum(
        tf.reduce_sum(is_present, axis=1), 1.0
    )
