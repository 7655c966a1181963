"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

    i, f, o = sigmoid(x W + h' U + b)      g = tanh(x W + h' U + b)
    c = f c' + i g                         h = o tanh(c)

h' and c' are the states before the step, d v is the gradient of the loss with respect to v.
Weights: kernel W `[features, 4 units]`, recurrent kernel U `[units, 4 units]`, bias b
`[4 units]`, with the gates in the order i, f, g, o.
"""

import dataclasses

import tensorflow as tf

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
        gates = gated(a + tf.matmul(h, weights[0]))
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c = f * c + i * g
        return (o * tf.tanh(c), c), (gates,)

    def factors(self, saved, previous, weights):
        i, f, g, o = tf.split(saved[0], 4, axis=-1)
        c_before = previous[1]
        tanh_c = tf.tanh(f * c_before + i * g)
        slopes = [g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)]
        return tf.concat(slopes, axis=-1), o * (1 - tanh_c * tanh_c), f

    def back(self, factors, d_states, weights):
        slopes, h_by_c, f = factors
        dh, dc = d_states
        dc = dc + dh * h_by_c
        da = tf.concat([dc, dc, dc, dh], axis=-1) * slopes
        return (da,), (tf.matmul(da, weights[0]), dc * f)

    def gather(self, kept, saved, previous):
        return kept[0], (algebra.outer(previous[0], kept[0]),)


def gated(z: tf.Tensor) -> tf.Tensor:
    """sigmoid of the gates i, f, o and tanh of g in one pass, as sigmoid(v) = tanh(v / 2) / 2 + 1 / 2."""
    units = z.shape[-1] // 4
    half = tf.constant([0.5] * (2 * units) + [1.0] * units + [0.5] * units, z.dtype)
    return tf.tanh(z * half) * half + (1 - half)
