"""Mogrifier LSTM (Melis et al., arXiv 1909.01792): input and state scale each other first.

    x_r = 2 sigmoid(h_{r-1} M_r) x_{r-1}      in the rounds r = 1, 3, ...
    h_r = 2 sigmoid(x_{r-1} M_r) h_{r-1}      in the rounds r = 2, 4, ...; the other one stays
    i, f, o = sigmoid(x W + h U + b)          g = tanh(x W + h U + b), of the last x and h
    c = f c' + min(i, 1 - f) g                h = o tanh(c)

What enters is capped by what is forgotten, as in the authors' own models (`cap_input_gate` of
github.com/deepmind/lamb): no |c| passes 1, however long a sequence is. Without the cap, a state
that is carried through a long text can grow without bound.

x_0 is the input, h_0 and c' are the states before the step. Weights: kernel W
`[features, 4 units]`, recurrent kernel U `[units, 4 units]`, bias b `[4 units]` as an LSTM's, and
for each round a matrix M, `[units, features]` in the odd ones, `[features, units]` in the others.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra
from rnnsuite.layers.scan.lstm import gate_slopes, gated


@dataclasses.dataclass(frozen=True)
class MogrifierLSTM:
    """There are as many rounds as matrices. Inputs contribute themselves to a step."""

    states = 2

    def project(self, x, weights):
        return x

    def recurrent(self, weights):
        return weights

    def step(self, a, states, weights):
        kernel, recurrent, bias, *matrices = weights
        x = a
        h, c = states
        scales = []
        for number, matrix in enumerate(matrices):
            scale = 2 * tf.sigmoid(tf.matmul(x if number % 2 else h, matrix))
            scales.append(scale)
            if number % 2:
                h = scale * h
            else:
                x = scale * x
        (i, f, g, o), gates = gated(tf.matmul(x, kernel) + tf.matmul(h, recurrent) + bias)
        with tf.name_scope(context.PRECISE):
            c = f * c + tf.minimum(i, 1 - f) * g
        return (o * tf.tanh(c), c), (gates, a, *scales)

    def local_derivatives(self, saved, previous, weights):
        gates, x, *scales = saved
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c_before = previous[1]
        entering = tf.minimum(i, 1 - f)
        tanh_c = tf.tanh(f * c_before + entering * g)
        by_i = tf.where(i < 1 - f, g, tf.zeros_like(g))
        slopes = tf.concat([by_i, c_before - g + by_i, entering, tanh_c], axis=-1)
        slopes = slopes * gate_slopes(gates)
        scaled = [before for before, _ in _rounds(x, previous[0], scales)]
        return slopes, o * (1 - tanh_c * tanh_c), f, *scales, *scaled

    def step_backward(self, local_derivatives, d_states, weights):
        slopes, h_by_c, f, *others = local_derivatives
        kernel, recurrent, _, *matrices = weights
        scales = others[: len(matrices)]
        scaled = others[len(matrices) :]
        dh, dc = d_states
        dc = dc + dh * h_by_c
        da = tf.concat([dc, dc, dc, dh], axis=-1) * slopes
        d = [tf.matmul(da, kernel), tf.matmul(da, recurrent)]  # of x and of h
        d_sums = []
        for number in reversed(range(len(matrices))):
            which = number % 2
            scale = scales[number]
            d_sum = d[which] * scaled[number] * scale * (1 - scale / 2)
            d[which] = d[which] * scale
            d[1 - which] = d[1 - which] + tf.matmul(d_sum, matrices[number])
            d_sums.insert(0, d_sum)
        return (d[0], da, *d_sums), (d[1], dc * f)

    def weight_gradients(self, steps, saved, previous):
        dx, da, *d_sums = steps
        _, x, *scales = saved
        h = previous[0]
        matrices = []
        for (_, by), d_sum in zip(_rounds(x, h, scales), d_sums, strict=True):
            matrices.append(algebra.outer(by, d_sum))
        x, h = _last(x, h, scales)
        gradients = algebra.outer(x, da), algebra.outer(h, da), tf.reduce_sum(da, axis=[0, 1])
        return dx, (*gradients, *matrices)


def _rounds(x: tf.Tensor, h: tf.Tensor, scales: list) -> list[tuple]:
    """For each round what is scaled, before it is, and what it is scaled by."""
    found = []
    for number, scale in enumerate(scales):
        found.append((h, x) if number % 2 else (x, h))
        if number % 2:
            h = scale * h
        else:
            x = scale * x
    return found


def _last(x: tf.Tensor, h: tf.Tensor, scales: list) -> tuple[tf.Tensor, tf.Tensor]:
    """Input and state after all rounds."""
    for number, scale in enumerate(scales):
        if number % 2:
            h = scale * h
        else:
            x = scale * x
    return x, h
