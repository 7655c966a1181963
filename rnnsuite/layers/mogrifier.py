"""Mogrifier LSTM: input and state scale each other before the gates."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.layers import scan
from rnnsuite.layers.cells import ScanCell, ScanLayer, layer_of

ROUNDS = 5
"""Of the paper's best models."""


class MogrifierLSTMCell(ScanCell):
    """One step of `MogrifierLSTM`.

    Args:
        units: width of the states.
        rounds: how often one of input and state scales the other; 0 leaves an LSTM whose input gate
            is at most 1 - f.
        options: see `ScanCell`.

    Raises:
        ValueError: for a negative number of rounds.
    """

    recurrence = scan.MogrifierLSTM()
    gates = 4

    def __init__(self, units: int, rounds: int = ROUNDS, **options: Any):
        super().__init__(units, **options)
        if rounds < 0:
            raise ValueError(f"rounds must be at least 0, not {rounds}")
        self.rounds = rounds

    def build_recurrent(self):
        orthogonal = keras.initializers.Orthogonal(seed=self.seed)
        shape = (self.units, self.gates * self.units)
        self.recurrent_kernel = self._weight("recurrent_kernel", shape, orthogonal)
        features = self.kernel.shape[0]
        self.matrices = [
            self._weight(
                f"scale_{number + 1}",
                (features, self.units) if number % 2 else (self.units, features),
            )
            for number in range(self.rounds)
        ]

    def first_bias(self, shape, dtype=None):
        forget = np.repeat([0, 1, 0, 0], self.units)  # open, as Keras's LSTM has them
        return self.bias_initializer(shape, dtype) + forget.astype(dtype)

    def scan_weights(self):
        bias = tf.zeros([4 * self.units], self.compute_dtype) if self.bias is None else self.bias
        return self.kernel, self.recurrent_kernel, bias, *self.matrices

    def get_config(self):
        return {**super().get_config(), "rounds": self.rounds}


@layer_of(MogrifierLSTMCell)
class MogrifierLSTM(ScanLayer):
    """The LSTM whose input and state scale each other first (Melis et al., arXiv 1909.01792).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. All of it is in the loop, the product with the input, too: it costs several
    times an LSTM's step.

    Args:
        units: width of the states.
        rounds: see `MogrifierLSTMCell`.
        use_bias, kernel_initializer, bias_initializer, dropout, seed: see `ScanCell`; biases of
            forget gates begin at 1.
        weight_drop, zoneout: see `Scanned`. Further arguments are `keras.layers.RNN`'s.
    """

    OPTIONS = (*ScanLayer.OPTIONS, "rounds")
