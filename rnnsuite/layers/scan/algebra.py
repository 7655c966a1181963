"""The few operations on `[time, batch, features]` that the recurrences share."""

import tensorflow as tf


def project(x_TxBxD: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None) -> tf.Tensor:
    """x W + b for all steps in one matrix product."""
    time, batch = tf.unstack(tf.shape(x_TxBxD)[:2])
    a = tf.matmul(tf.reshape(x_TxBxD, [time * batch, x_TxBxD.shape[-1]]), kernel)
    if bias is not None:
        a = tf.nn.bias_add(a, bias)
    a = tf.reshape(a, [time, batch, kernel.shape[-1]])
    a.set_shape([*x_TxBxD.shape[:2], kernel.shape[-1]])
    return a


def outer(left_TxBxM: tf.Tensor, right_TxBxN: tf.Tensor) -> tf.Tensor:
    """Sum over steps and rows of left_t' right_t: a weight's gradient in one product, `[M, N]`."""
    flat = [tf.reshape(v, [-1, v.shape[-1]]) for v in (left_TxBxM, right_TxBxN)]
    return tf.matmul(*flat, transpose_a=True)
