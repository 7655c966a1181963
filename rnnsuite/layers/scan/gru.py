"""Gated recurrent unit (Cho et al., arXiv 1406.1078), with both places of the reset gate.

    z, r = sigmoid(x W + h' U + b)         h = z h' + (1 - z) n
    n = tanh(x W + r (h' U + b'))          reset after the product, as cuDNN does it
    n = tanh(x W + (r h') U + b)           reset before it, as in the paper

h' is the state before the step, d v is the gradient of the loss with respect to v. Weights:
kernel W `[features, 3 units]`, recurrent kernel U `[units, 3 units]`, bias `[3 units]`, or
`[2, 3 units]` with b for the input and b' for the recurrence; gates in the order z, r, n.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra


@dataclasses.dataclass(frozen=True)
class GRU:
    """The reset gate after the product. With a bias, its recurrent half is a recurrent weight."""

    states = 1

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, None if bias is None else bias[0])

    def recurrent(self, weights):
        _, kernel, bias = weights
        return (kernel,) if bias is None else (kernel, bias[1])

    def step(self, a, states, weights):
        (h,) = states
        b = tf.matmul(h, weights[0])
        if len(weights) == 2:
            b += weights[1]
        a_z, a_r, a_n = tf.split(a, 3, axis=-1)
        b_z, b_r, b_n = tf.split(b, 3, axis=-1)
        z = tf.sigmoid(a_z + b_z)
        r = tf.sigmoid(a_r + b_r)
        n = tf.tanh(a_n + r * b_n)
        # In int8, a sum over many steps would drown in its rounding.
        with tf.name_scope(context.PRECISE):
            after = n + z * (h - n)
        return (after,), (z, r, n, b_n)

    def local_derivatives(self, saved, previous, weights):
        z, r, n, b_n = saved
        slope_n = (1 - z) * (1 - n * n)
        slopes = [(previous[0] - n) * z * (1 - z), slope_n * b_n * r * (1 - r), slope_n * r]
        return tf.concat(slopes, axis=-1), slope_n, z

    def step_backward(self, local_derivatives, d_states, weights):
        slopes, slope_n, z = local_derivatives
        (dh,) = d_states
        db = tf.concat([dh, dh, dh], axis=-1) * slopes
        return (db, dh * slope_n), (tf.matmul(db, weights[0]) + dh * z,)

    def weight_gradients(self, steps, saved, previous):
        db, da_n = steps
        units = da_n.shape[-1]
        da = tf.concat([db[..., : 2 * units], da_n], axis=-1)
        return da, (algebra.outer(previous[0], db), tf.reduce_sum(db, axis=[0, 1]))


@dataclasses.dataclass(frozen=True)
class GRUResetBefore:
    """The reset gate before the product, which makes it two products a step."""

    states = 1

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, bias)

    def recurrent(self, weights):
        units = weights[1].shape[0]
        return weights[1][:, : 2 * units], weights[1][:, 2 * units :]

    def step(self, a, states, weights):
        (h,) = states
        units = h.shape[-1]
        z, r = tf.split(tf.sigmoid(a[:, : 2 * units] + tf.matmul(h, weights[0])), 2, axis=-1)
        n = tf.tanh(a[:, 2 * units :] + tf.matmul(r * h, weights[1]))
        with tf.name_scope(context.PRECISE):
            after = z * h + (1 - z) * n
        return (after,), (z, r, n)

    def local_derivatives(self, saved, previous, weights):
        z, r, n = saved
        h = previous[0]
        return (h - n) * z * (1 - z), (1 - z) * (1 - n * n), h * r * (1 - r), z, r

    def step_backward(self, local_derivatives, d_states, weights):
        slope_z, slope_n, slope_r, z, r = local_derivatives
        (dh,) = d_states
        da_n = dh * slope_n
        d_rh = tf.matmul(da_n, weights[1])
        da_zr = tf.concat([dh * slope_z, d_rh * slope_r], axis=-1)
        return (da_zr, da_n), (tf.matmul(da_zr, weights[0]) + d_rh * r + dh * z,)

    def weight_gradients(self, steps, saved, previous):
        da_zr, da_n = steps
        _, r, _ = saved
        h = previous[0]
        return tf.concat(steps, axis=-1), (algebra.outer(h, da_zr), algebra.outer(r * h, da_n))
