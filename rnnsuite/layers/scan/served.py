"""LSTM and GRU for servers: stock operations, and the product with the input inside the loop.

The equations are those of `lstm.py` and `gru.py`. Without XLA, each operation of a step writes its
result to memory and reads its operands from there. What the inputs contribute to all steps is then
read more slowly than it is computed anew for one step, from operands that are in the cache.
"""

import dataclasses

import tensorflow as tf

from rnnsuite.layers.scan.gru import GRU
from rnnsuite.layers.scan.lstm import LSTM
from rnnsuite.layers.scan.recurrence import Recurrence


@dataclasses.dataclass(frozen=True)
class ServedLSTM:
    """Forward alone; stock operations are differentiated by TensorFlow."""

    states = 2

    def project(self, x, weights):
        return x

    def recurrent(self, weights):
        kernel, recurrent, bias = weights
        return (kernel, recurrent) if bias is None else (kernel, recurrent, bias)

    def step(self, a, states, weights):
        kernel, recurrent, *bias = weights
        h, c = states
        z = tf.matmul(a, kernel) + tf.matmul(h, recurrent)
        if bias:
            z = tf.nn.bias_add(z, bias[0])
        i, f, g, o = tf.split(z, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return (tf.sigmoid(o) * tf.tanh(c), c), ()


@dataclasses.dataclass(frozen=True)
class ServedGRU:
    """The same of the GRU whose reset gate comes after the product."""

    states = 1

    def project(self, x, weights):
        return x

    def recurrent(self, weights):
        kernel, recurrent, bias = weights
        if bias is None:
            return kernel, recurrent
        units = recurrent.shape[0]
        gates = bias[0] + tf.concat([bias[1, : 2 * units], tf.zeros_like(bias[0, :units])], axis=0)
        return kernel, recurrent, gates, bias[1, 2 * units :]

    def step(self, a, states, weights):
        kernel, recurrent, *biases = weights
        (h,) = states
        units = h.shape[-1]
        a = tf.matmul(a, kernel)
        if biases:
            a = tf.nn.bias_add(a, biases[0])
        a_zr, a_n = tf.split(a, [2 * units, units], axis=-1)
        b_zr, b_n = tf.split(tf.matmul(h, recurrent), [2 * units, units], axis=-1)
        z, r = tf.split(tf.sigmoid(a_zr + b_zr), 2, axis=-1)
        if biases:
            b_n = tf.nn.bias_add(b_n, biases[1])
        n = tf.tanh(a_n + r * b_n)
        return (n + z * (h - n),), ()


def for_serving(recurrence: Recurrence) -> Recurrence:
    """The form of a recurrence that is fastest in stock operations.

    Args:
        recurrence: any.

    Returns:
        One of equal results, or the recurrence itself.
    """
    return {LSTM: ServedLSTM(), GRU: ServedGRU()}.get(type(recurrence), recurrence)
