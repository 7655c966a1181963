"""LSTM and GRU with layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450, eq. 20-22 and
26-28).

    norm(v) = (v - mean v) / sqrt(var v + 1e-5), over all gates of a row

    LSTM    i, f, o, g from  z = s norm(x W) + s' norm(h' U) + b
            c = f c' + i g                 h = o tanh(s_c norm(c) + b_c)
    GRU     z, r = sigmoid(s norm(x W) + s' norm(h' U) + b)
            n = tanh(s norm(x W) + r s' norm(h' U) + b)         h = z h' + (1 - z) n

The GRU's z, r and n are normalised apart, the first two together, on both sides. Weights:
kernel W, recurrent kernel U and bias b as without normalisation (the GRU with one bias),
input scale s and recurrent scale s' `[gates * units]`; the LSTM also state scale s_c and
state bias b_c `[units]`.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra
from rnnsuite.layers.scan.lstm import gate_slopes, gated

_EPSILON = 1e-5


def norm(v: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(v normalised over the last axis, one over its standard deviation)."""
    centred = v - tf.reduce_mean(v, axis=-1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(centred * centred, axis=-1, keepdims=True) + _EPSILON)
    return centred * scale, scale


def norm_back(d: tf.Tensor, normed: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The gradient of what `norm` was given, of that of its result."""
    mean = tf.reduce_mean(d, axis=-1, keepdims=True)
    along = tf.reduce_mean(d * normed, axis=-1, keepdims=True)
    return scale * (d - mean - normed * along)


@dataclasses.dataclass(frozen=True)
class LayerNormLSTM:
    states = 2

    def project(self, x, weights):
        kernel, _, bias, scale, *_ = weights
        return norm(algebra.project(x, kernel, None))[0] * scale + bias

    def recurrent(self, weights):
        _, kernel, _, _, *scales = weights
        return (kernel, *scales)

    def step(self, a, states, weights):
        kernel, scale, c_scale, c_bias = weights
        h, c = states
        u, u_scale = norm(tf.matmul(h, kernel))
        (i, f, g, o), gates = gated(a + scale * u)
        with tf.name_scope(context.PRECISE):
            c = f * c + i * g
        return (o * tf.tanh(c_scale * norm(c)[0] + c_bias), c), (gates, u, u_scale)

    def local_derivatives(self, saved, previous, weights):
        gates, u, u_scale = saved
        _, _, c_scale, c_bias = weights
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c_before = previous[1]
        c, c_factor = norm(f * c_before + i * g)
        tanh_c = tf.tanh(c_scale * c + c_bias)
        slopes = tf.concat([g, c_before, i, tanh_c], axis=-1) * gate_slopes(gates)
        return slopes, o * (1 - tanh_c * tanh_c), f, c, c_factor, u, u_scale

    def step_backward(self, local_derivatives, d_states, weights):
        slopes, h_by_c, f, c, c_factor, u, u_scale = local_derivatives
        kernel, scale, c_scale, _ = weights
        dh, dc = d_states
        d_shown = dh * h_by_c
        dc = dc + norm_back(d_shown * c_scale, c, c_factor)
        da = tf.concat([dc, dc, dc, dh], axis=-1) * slopes
        du = norm_back(da * scale, u, u_scale)
        return (da, du, d_shown, d_shown * c), (tf.matmul(du, kernel), dc * f)

    def weight_gradients(self, steps, saved, previous):
        da, du, d_shown, d_scaled = steps
        over = [0, 1]
        scale = tf.reduce_sum(da * saved[1], axis=over)
        weights = algebra.outer(previous[0], du), scale, tf.reduce_sum(d_scaled, axis=over)
        return da, (*weights, tf.reduce_sum(d_shown, axis=over))


@dataclasses.dataclass(frozen=True)
class LayerNormGRU:
    states = 1

    def project(self, x, weights):
        kernel, _, bias, scale, _ = weights
        return self._norm(algebra.project(x, kernel, None))[0] * scale + bias

    def recurrent(self, weights):
        _, kernel, _, _, scale = weights
        return kernel, scale

    @staticmethod
    def _norm(v):
        units = v.shape[-1] // 3
        (zr, zr_scale), (n, n_scale) = norm(v[..., : 2 * units]), norm(v[..., 2 * units :])
        return tf.concat([zr, n], axis=-1), zr_scale, n_scale

    def step(self, a, states, weights):
        kernel, scale = weights
        (h,) = states
        units = h.shape[-1]
        u, *u_scales = self._norm(tf.matmul(h, kernel))
        b = scale * u
        z, r = tf.split(tf.sigmoid(a[:, : 2 * units] + b[:, : 2 * units]), 2, axis=-1)
        b_n = b[:, 2 * units :]
        n = tf.tanh(a[:, 2 * units :] + r * b_n)
        return (z * h + (1 - z) * n,), (z, r, n, b_n, u, *u_scales)

    def local_derivatives(self, saved, previous, weights):
        z, r, n, b_n, *normed = saved
        slope_n = (1 - z) * (1 - n * n)
        slopes = [(previous[0] - n) * z * (1 - z), slope_n * b_n * r * (1 - r), slope_n * r]
        return tf.concat(slopes, axis=-1), slope_n, z, *normed

    def step_backward(self, local_derivatives, d_states, weights):
        slopes, slope_n, z, u, zr_scale, n_scale = local_derivatives
        kernel, scale = weights
        (dh,) = d_states
        units = dh.shape[-1]
        db = tf.concat([dh, dh, dh], axis=-1) * slopes
        d = db * scale
        du_zr = norm_back(d[:, : 2 * units], u[:, : 2 * units], zr_scale)
        du = tf.concat([du_zr, norm_back(d[:, 2 * units :], u[:, 2 * units :], n_scale)], axis=-1)
        return (db, dh * slope_n, du), (tf.matmul(du, kernel) + dh * z,)

    def weight_gradients(self, steps, saved, previous):
        db, da_n, du = steps
        units = da_n.shape[-1]
        da = tf.concat([db[..., : 2 * units], da_n], axis=-1)
        return da, (algebra.outer(previous[0], du), tf.reduce_sum(db * saved[4], axis=[0, 1]))
