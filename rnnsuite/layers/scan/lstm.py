"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    i, f, o = sigmoid(x W + h' U + b)      g = tanh(x W + h' U + b)
    c = f c' + i g                         h = o tanh(c)

h' and c' are the states before the step, d v is the gradient of the loss with respect to v.
Weights: kernel W `[features, 4 units]`, recurrent kernel U `[units, 4 units]`, bias b
`[4 units]`, with the gates in the order i, f, g, o.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra


@dataclasses.dataclass(frozen=True)
class LSTM:
    states = 2

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, bias)

    def recurrent(self, weights):
        return weights[1:2]

    def step(self, a, states, weights):
        h, c = states
        (i, f, g, o), gates = gated(a + tf.matmul(h, weights[0]))
        # In int8, a sum over many steps would drown in its rounding.
        with tf.name_scope(context.PRECISE):
            c = f * c + i * g
        return (o * tf.tanh(c), c), (gates,)

    def local_derivatives(self, saved, previous, weights):
        i, f, g, o = tf.split(saved[0], 4, axis=-1)
        c_before = previous[1]
        tanh_c = tf.tanh(f * c_before + i * g)
        slopes = tf.concat([g, c_before, i, tanh_c], axis=-1) * gate_slopes(saved[0])
        return slopes, o * (1 - tanh_c * tanh_c), f

    def step_backward(self, local_derivatives, d_states, weights):
        slopes, h_by_c, f = local_derivatives
        dh, dc = d_states
        dc = dc + dh * h_by_c
        da = tf.concat([dc, dc, dc, dh], axis=-1) * slopes
        return (da,), (tf.matmul(da, weights[0]), dc * f)

    def weight_gradients(self, steps, saved, previous):
        return steps[0], (algebra.outer(previous[0], steps[0]),)


def gated(z: tf.Tensor) -> tuple[list, tf.Tensor]:
    """The gates of their pre-activations side by side.

    Where XLA compiles, one pass does for all, as sigmoid(v) = tanh(v / 2) / 2 + 1 / 2; in stock
    operations, and quantised most of all, every gate has its own.

    Args:
        z: `[batch, 4 units]`.

    Returns:
        (i, f, g, o) apart, and side by side.
    """
    if context.current_target() == "training":
        half = _per_gate(0.5, 1.0, z)
        gates = tf.tanh(z * half) * half + (1 - half)
        return tf.split(gates, 4, axis=-1), gates
    i, f, g, o = tf.split(z, 4, axis=-1)
    apart = [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)]
    return apart, tf.concat(apart, axis=-1)


def gate_slopes(gates: tf.Tensor) -> tf.Tensor:
    """The derivatives of `gated` at its own values: v (1 - v) for i, f, o and 1 - v^2 for g."""
    is_tanh = _per_gate(0.0, 1.0, gates)
    return is_tanh + (1 - is_tanh) * gates - gates * gates


def _per_gate(sigmoid: float, tanh: float, like: tf.Tensor) -> tf.Tensor:
    units = like.shape[-1] // 4
    return tf.constant([sigmoid] * (2 * units) + [tanh] * units + [sigmoid] * units, like.dtype)
