"""sLSTM: exponential gates, a normaliser, a stabiliser (Beck et al., arXiv 2405.04517, eq. 8-18).

    z = tanh(x W_z + h' R_z + b_z)         o = sigmoid(x W_o + h' R_o + b_o)
    u, v: the sums of input and forget gate, likewise
    m = max(log sigmoid(v) + m', u)        the stabiliser, a logarithm
    i = exp(u - m)                         f = exp(log sigmoid(v) + m' - m)
    c = f c' + i z                         n = f n' + i         h = o c / n

h', c', n' and m' are the states before the step, d s is the gradient of the loss with respect to s.
R is block-diagonal: a unit sees the states of its own head alone. Weights: kernel W
`[features, 4 units]` and bias b `[4 units]`, for one head after the other, within a head the sums
in the order i, f, z, o; recurrent kernel R `[units, 4 units / heads]`, the rows of a head its own
block.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra

LEAST = 1e-30
"""Of the normaliser, which is zero as long as no input gate has opened."""


@dataclasses.dataclass(frozen=True)
class SLSTM:
    """Args:
    heads: blocks of the recurrent kernel.
    """

    heads: int
    states = 4

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, bias)

    def recurrent(self, weights):
        return weights[1:2]

    def step(self, a, states, weights):
        h, c, n, m = states
        u, v, z, o = self._apart(a + self._product(h, weights[0]))
        with tf.name_scope(context.PRECISE):
            kept = tf.math.log_sigmoid(v) + m
            m_after = tf.maximum(kept, u)
            i = tf.exp(u - m_after)
            f = tf.exp(kept - m_after)
            z = tf.tanh(z)
            o = tf.sigmoid(o)
            c_after = f * c + i * z
            n_after = f * n + i
            h_after = o * c_after / tf.maximum(n_after, LEAST)
        is_kept = tf.cast(kept >= u, a.dtype)
        return (h_after, c_after, n_after, m_after), (i, f, z, o, is_kept, tf.sigmoid(-v))

    def local_derivatives(self, saved, previous, weights):
        i, f, z, o, is_kept, v_slope = saved
        _, c_before, n_before, _ = previous
        c = f * c_before + i * z
        n = tf.maximum(f * n_before + i, LEAST)
        ratio = c / n
        return (
            *(ratio * o * (1 - o), o / n, -o * ratio / n),  # of h, by the sum of o, c and n
            *(c_before, n_before, i, f, z, 1 - z * z, is_kept, v_slope),
        )

    def step_backward(self, local_derivatives, d_states, weights):
        h_by_o, h_by_c, h_by_n, c_before, n_before, i, f, z, z_slope, is_kept, v_slope = (
            local_derivatives
        )
        dh, dc, dn, dm = d_states
        dc = dc + dh * h_by_c
        dn = dn + dh * h_by_n
        d_kept = (dc * c_before + dn * n_before) * f
        du = (dc * z + dn) * i
        dm = dm - d_kept - du
        d_kept = d_kept + dm * is_kept
        du = du + dm * (1 - is_kept)
        da = self._together(du, d_kept * v_slope, dc * i * z_slope, dh * h_by_o)
        return (da,), (self._product_back(da, weights[0]), dc * f, dn * f, d_kept)

    def weight_gradients(self, steps, saved, previous):
        (da,) = steps
        h = tf.reshape(previous[0], [-1, self.heads, previous[0].shape[-1] // self.heads])
        by_head = tf.reshape(da, [-1, self.heads, da.shape[-1] // self.heads])
        blocks = tf.einsum("nhd,nhk->hdk", h, by_head)
        return da, (tf.reshape(blocks, [previous[0].shape[-1], by_head.shape[-1]]),)

    def _product(self, h, kernel):
        units, width = kernel.shape
        if self.heads == 1:
            return tf.matmul(h, kernel)
        size = units // self.heads
        by_head = tf.reshape(h, [_rows(h), self.heads, size])
        sums = tf.einsum("bhd,hdk->bhk", by_head, tf.reshape(kernel, [self.heads, size, width]))
        return tf.reshape(sums, [_rows(h), self.heads * width])

    def _product_back(self, da, transposed):
        width, units = transposed.shape
        if self.heads == 1:
            return tf.matmul(da, transposed)
        da = tf.reshape(da, [-1, self.heads, width])
        kernel = tf.reshape(transposed, [width, self.heads, units // self.heads])
        return tf.reshape(tf.einsum("bhk,khd->bhd", da, kernel), [-1, units])

    def _apart(self, sums):
        """The four of every head, each as `[batch, units]`."""
        units = sums.shape[-1] // 4
        by_head = tf.reshape(sums, [_rows(sums), self.heads, 4, units // self.heads])
        return [tf.reshape(by_head[:, :, gate], [_rows(sums), units]) for gate in range(4)]

    def _together(self, *gates):
        units = gates[0].shape[-1]
        by_head = [tf.reshape(gate, [-1, self.heads, 1, units // self.heads]) for gate in gates]
        return tf.reshape(tf.concat(by_head, axis=2), [-1, 4 * units])


def _rows(v: tf.Tensor) -> int:
    """For a reshape: as many as are known, which int8 files need, or whatever is left."""
    return v.shape[0] or -1
