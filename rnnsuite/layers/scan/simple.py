"""Elman network (Elman 1990): h = act(x W + h' U + b), with act tanh, ReLU (IRNN, arXiv 1504.00941)
or nothing.

h' is the state before the step. Weights: kernel W `[features, units]`, recurrent kernel U
`[units, units]`, bias b `[units]`.
"""

import dataclasses
from typing import Literal

import tensorflow as tf

from rnnsuite.layers.scan import algebra

_ACTIVATIONS = {"tanh": tf.tanh, "relu": tf.nn.relu, "linear": tf.identity}
# The slope at the activation's own value y.
_SLOPES = {
    "tanh": lambda y: 1 - y * y,
    "relu": lambda y: tf.cast(y > 0, y.dtype),
    "linear": tf.ones_like,
}


@dataclasses.dataclass(frozen=True)
class SimpleRNN:
    """The recurrence.

    Args:
        activation: of a step's sum.
    """

    activation: Literal["tanh", "relu", "linear"] = "tanh"
    states = 1

    def project(self, x, weights):
        kernel, _, bias = weights
        return algebra.project(x, kernel, bias)

    def recurrent(self, weights):
        return weights[1:2]

    def step(self, a, states, weights):
        h = _ACTIVATIONS[self.activation](a + tf.matmul(states[0], weights[0]))
        return (h,), (h,)

    def local_derivatives(self, saved, previous, weights):
        return (_SLOPES[self.activation](saved[0]),)

    def step_backward(self, local_derivatives, d_states, weights):
        da = d_states[0] * local_derivatives[0]
        return (da,), (tf.matmul(da, weights[0]),)

    def weight_gradients(self, steps, saved, previous):
        return steps[0], (algebra.outer(previous[0], steps[0]),)
