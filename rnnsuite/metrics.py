"""Masked losses."""

import tensorflow as tf


def token_losses(ids: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> dict[str, tf.Tensor]:
    """What a batch of predicted tokens is worth, `[batch]` each; 0 in ids `[batch, time]` is padding.

    `loss`: cross-entropy in nats against labels of which `smoothing` is spread over the whole
    vocabulary (Szegedy et al., arXiv 1512.00567, section 7). `nll`: against the labels alone.
    `accuracy`: share of right tokens. Rows are weighted by their tokens, so that the mean over
    the batch is the mean over its tokens.
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
