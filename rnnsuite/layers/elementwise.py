"""Recurrent layers without a product with the state: minGRU, minLSTM, RG-LRU, SRU, IndRNN."""

import math
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.layers import scan
from rnnsuite.layers.cells import ScanCell, ScanLayer, layer_of
from rnnsuite.layers.scan.linear import SHARPNESS


class Elementwise(ScanLayer):
    """What the layers share.

    Raises:
        ValueError: for weight_drop, which drops weights of a recurrent kernel.
    """

    def __init__(self, units: int, **options: Any):
        super().__init__(units, **options)
        if self.weight_drop:
            raise ValueError(
                f"{type(self).__name__} has no recurrent kernel whose weights weight_drop could "
                "leave out; zoneout it has"
            )


class MinGRUCell(ScanCell):
    """One step of `MinGRU`."""

    recurrence = scan.MinGRU()
    gates = 2


class MinLSTMCell(ScanCell):
    """One step of `MinLSTM`."""

    recurrence = scan.MinLSTM()
    gates = 3


class RGLRUCell(ScanCell):
    """One step of `RGLRU`."""

    recurrence = scan.RGLRU()
    gates = 3

    def build_recurrent(self):
        uniform = keras.initializers.RandomUniform(0.9, 0.999, seed=self.seed)

        def decays(shape, dtype=None):
            """So that f lies between 0.9 and 0.999 where the gate is open (the paper's 2.4)."""
            drawn = uniform(shape, dtype)
            return keras.ops.log(keras.ops.expm1(-keras.ops.log(drawn) / SHARPNESS))

        self.decay = self._weight("decay", (self.units,), decays)

    def scan_weights(self):
        return self.kernel, self.bias, self.decay


class IndRNNCell(ScanCell):
    """One step of `IndRNN`."""

    recurrence = scan.IndRNN()

    def build_recurrent(self):
        uniform = keras.initializers.RandomUniform(0.0, 1.0, self.seed)
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units,), uniform)

    def scan_weights(self):
        return self.kernel, self.recurrent_kernel, self.bias


class SRUCell(ScanCell):
    """One step of `SRU`."""

    recurrence = scan.SRU()

    def width(self, features):
        return (3 if features == self.units else 4) * self.units

    @property
    def bias_size(self):
        return 2 * self.units

    def build_recurrent(self):
        limit = math.sqrt(3 / self.units)
        uniform = keras.initializers.RandomUniform(-limit, limit, self.seed)
        self.recurrent_kernel = self._weight("recurrent_kernel", (2 * self.units,), uniform)

    def scan_weights(self):
        bias = tf.zeros([2 * self.units], self.compute_dtype) if self.bias is None else self.bias
        return self.kernel, self.recurrent_kernel, bias


@layer_of(MinGRUCell)
class MinGRU(Elementwise):
    """The minimal gated recurrent unit (Feng et al., arXiv 2410.01201).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. A step is three operations on vectors: all products come before the loop.

    Args:
        units: width of the state.
        use_bias, kernel_initializer, bias_initializer, dropout, seed: see `ScanCell`.
        zoneout: see `Scanned`. Further arguments are `keras.layers.RNN`'s.
    """


@layer_of(MinLSTMCell)
class MinLSTM(Elementwise):
    """The minimal LSTM, whose gates add up to 1 (Feng et al., arXiv 2410.01201).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`.

    Args:
        units: width of the state.
        options: those of `MinGRU`.
    """


@layer_of(RGLRUCell)
class RGLRU(Elementwise):
    """The real-gated linear recurrent unit of Griffin (De et al., arXiv 2402.19427).

    Its input is projected to the width of the state, so that it stands wherever an LSTM does.
    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`.

    Args:
        units: width of the state.
        options: those of `MinGRU`.
    """


@layer_of(IndRNNCell)
class IndRNN(Elementwise):
    """The independently recurrent network (Li et al., arXiv 1803.04831), with ReLU.

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`.

    Args:
        units: width of the state.
        options: those of `MinGRU`.
    """


@layer_of(SRUCell)
class SRU(Elementwise):
    """The simple recurrent unit (Lei et al., arXiv 1709.02755), with its highway.

    The highway passes the input on where that is as wide as the state, and else a projection of
    it. `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`.

    Args:
        units: width of the state.
        options: those of `MinGRU`.
    """
