"""Recurrences whose units see only themselves of the step before.

    IndRNN (Li et al., arXiv 1803.04831)      h = relu(x W + u h' + b)

    SRU (Lei et al., arXiv 1709.02755, eq. 1-4)        n, f, r (and s) from x W
        f = sigmoid(f + v_f c' + b_f)        r = sigmoid(r + v_r c' + b_r)
        c = f c' + (1 - f) n                 h = r c + (1 - r) sqrt(3) s

h' and c' are the states before the step; s is the input itself where it is as wide as the state,
and else projected like n. Weights: kernel W, then u `[units]` and bias b `[units]`; the SRU's v and
b `[2 units]`, of f and of r.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra

SKIP = 3**0.5
"""By which what is passed on is multiplied, so that depth keeps the variance."""


@dataclasses.dataclass(frozen=True)
class IndRNN:
    states = 1

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, bias)

    def recurrent(self, weights):
        return weights[1:2]

    def step(self, a, states, weights):
        with tf.name_scope(context.PRECISE):
            after = tf.nn.relu(a + weights[0] * states[0])
        return (after,), (after,)

    def local_derivatives(self, saved, previous, weights):
        return (tf.cast(saved[0] > 0, saved[0].dtype),)

    def step_backward(self, local_derivatives, d_states, weights):
        da = d_states[0] * local_derivatives[0]
        return (da,), (da * weights[0],)

    def weight_gradients(self, steps, saved, previous):
        return steps[0], (tf.reduce_sum(steps[0] * previous[0], axis=[0, 1]),)


@dataclasses.dataclass(frozen=True)
class SRU:
    """States are what it shows, h, and what it keeps, c."""

    states = 2

    def project(self, x, weights):
        kernel, recurrent, bias = weights
        a = algebra.project(x, kernel, None)
        units = recurrent.shape[0] // 2
        parts = [a[..., :units], a[..., units : 3 * units] + bias]
        parts.append(SKIP * (x if kernel.shape[-1] == 3 * units else a[..., 3 * units :]))
        return tf.concat(parts, axis=-1)

    def recurrent(self, weights):
        return weights[1:2]

    def step(self, a, states, weights):
        _, c = states
        n, a_f, a_r, s = tf.split(a, 4, axis=-1)
        v_f, v_r = tf.split(weights[0], 2)
        f = tf.sigmoid(a_f + v_f * c)
        r = tf.sigmoid(a_r + v_r * c)
        with tf.name_scope(context.PRECISE):
            after = f * c + (1 - f) * n
        return (r * after + (1 - r) * s, after), (n, f, r, s)

    def local_derivatives(self, saved, previous, weights):
        n, f, r, s = saved
        c = previous[1]
        after = f * c + (1 - f) * n
        return (c - n) * f * (1 - f), (after - s) * r * (1 - r), f, r

    def step_backward(self, local_derivatives, d_states, weights):
        slope_f, slope_r, f, r = local_derivatives
        v_f, v_r = tf.split(weights[0], 2)
        dh, dc = d_states
        dc = dc + dh * r
        da_f = dc * slope_f
        da_r = dh * slope_r
        da = tf.concat([dc * (1 - f), da_f, da_r, dh * (1 - r)], axis=-1)
        return (da,), (tf.zeros_like(dh), dc * f + da_f * v_f + da_r * v_r)

    def weight_gradients(self, steps, saved, previous):
        (da,) = steps
        units = da.shape[-1] // 4
        c = previous[1]
        gates = da[..., units : 3 * units] * tf.concat([c, c], axis=-1)
        return da, (tf.reduce_sum(gates, axis=[0, 1]),)
