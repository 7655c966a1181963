"""Element-wise linear recurrences: h = f h' + i, where f and i come from the input alone.

h' is the state before the step. There is no product with the state, so that a step is a few
operations on vectors, and gates of all steps are one product before the loop. Weights: kernel W
`[features, gates * units]` and bias b `[gates * units]`.

    minGRU (Feng et al., arXiv 2410.01201)    z, n from x W + b
        f = 1 - sigmoid(z)        i = sigmoid(z) n
    minLSTM (the same)                        p, q, n from x W + b
        f = sigmoid(p) / (sigmoid(p) + sigmoid(q))        i = (1 - f) n
    RG-LRU (De et al., arXiv 2402.19427, eq. 1-4)        r, q, n from x W + b, decay L [units]
        f = exp(-8 softplus(L) sigmoid(r))        i = sqrt(1 - f^2) sigmoid(q) n
"""

import dataclasses

import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra

SHARPNESS = 8.0
"""Of the RG-LRU's decay: c in the paper."""


@dataclasses.dataclass(frozen=True)
class Linear:
    """What the three share: the step and its gradient. `project` gives f and i side by side."""

    states = 1

    def recurrent(self, weights):
        return ()

    def step(self, a, states, weights):
        f, i = tf.split(a, 2, axis=-1)
        with tf.name_scope(context.PRECISE):
            after = f * states[0] + i
        return (after,), (f,)

    def local_derivatives(self, saved, previous, weights):
        return saved

    def step_backward(self, local_derivatives, d_states, weights):
        (f,) = local_derivatives
        (dh,) = d_states
        return (dh,), (dh * f,)

    def weight_gradients(self, steps, saved, previous):
        (dh,) = steps
        return tf.concat([dh * previous[0], dh], axis=-1), ()


@dataclasses.dataclass(frozen=True)
class MinGRU(Linear):
    def project(self, x, weights):
        z, n = tf.split(algebra.project(x, *weights), 2, axis=-1)
        return tf.concat([tf.sigmoid(-z), tf.sigmoid(z) * n], axis=-1)


@dataclasses.dataclass(frozen=True)
class MinLSTM(Linear):
    def project(self, x, weights):
        p, q, n = tf.split(algebra.project(x, *weights), 3, axis=-1)
        # The share of two sigmoids by their logarithms, which neither end of them spoils.
        odds = tf.math.log_sigmoid(p) - tf.math.log_sigmoid(q)
        return tf.concat([tf.sigmoid(odds), tf.sigmoid(-odds) * n], axis=-1)


@dataclasses.dataclass(frozen=True)
class RGLRU(Linear):
    def project(self, x, weights):
        *projected, decay = weights
        r, q, n = tf.split(algebra.project(x, *projected), 3, axis=-1)
        log = -SHARPNESS * tf.nn.softplus(decay) * tf.sigmoid(r)
        # 1 - f^2 near f = 1, where a difference would lose its digits.
        rest = tf.sqrt(tf.maximum(-tf.math.expm1(2 * log), 1e-12))
        return tf.concat([tf.exp(log), rest * tf.sigmoid(q) * n], axis=-1)
