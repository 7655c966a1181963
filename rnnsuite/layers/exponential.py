"""sLSTM: the LSTM with exponential gates."""

from typing import Any

import keras
import numpy as np

from rnnsuite.layers import scan
from rnnsuite.layers.cells import ScanCell, ScanLayer, layer_of

HEADS = 4
"""Of the paper's models."""
FORGET_BIAS = (3.0, 6.0)
"""Between these the forget gates' biases are spread: some units forget later than others."""


class SLSTMCell(ScanCell):
    """One step of `SLSTM`.

    Args:
        units: width of the states.
        heads: blocks of the recurrent kernel; by default 4 where that divides the units, else 1.
        options: see `ScanCell`.

    Raises:
        ValueError: where the heads do not divide the units.
    """

    gates = 4

    def __init__(self, units: int, heads: int | None = None, **options: Any):
        super().__init__(units, **options)
        self.heads = heads or (1 if units % HEADS else HEADS)
        if units % self.heads:
            raise ValueError(f"{units} units cannot be divided among {self.heads} heads")
        self.recurrence = scan.SLSTM(self.heads)

    def build_recurrent(self):
        initializer = keras.initializers.Orthogonal(seed=self.seed)
        shape = (self.units, self.gates * self.units // self.heads)
        self.recurrent_kernel = self._weight("recurrent_kernel", shape, initializer)

    def first_bias(self, shape, dtype=None):
        forget = np.linspace(*FORGET_BIAS, self.units).reshape(self.heads, 1, -1)
        by_gate = np.pad(forget, [[0, 0], [1, 2], [0, 0]])
        return self.bias_initializer(shape, dtype) + by_gate.reshape(-1).astype(dtype)

    def scan_weights(self):
        return self.kernel, self.recurrent_kernel, self.bias

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@layer_of(SLSTMCell)
class SLSTM(ScanLayer):
    """The LSTM with exponential gates, a normaliser and block-diagonal heads (arXiv 2405.04517).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. States: h, c, the normaliser n, which is not negative, and the stabiliser m.

    Args:
        units: width of the states.
        heads: see `SLSTMCell`.
        use_bias, kernel_initializer, bias_initializer, dropout, seed: see `ScanCell`; biases of
            forget gates begin 3 to 6 higher.
        weight_drop: see `Scanned`. Further arguments are `keras.layers.RNN`'s.
        zoneout: see `Scanned`; one number is h's alone, for c, n and m mean nothing apart.
    """

    OPTIONS = (*ScanLayer.OPTIONS, "heads")

    def __init__(self, units: int, zoneout: float | tuple = 0.0, **options: Any):
        zoneouts = zoneout if isinstance(zoneout, list | tuple) else (zoneout, 0.0, 0.0, 0.0)
        super().__init__(units, zoneout=tuple(zoneouts), **options)
        if not any(self.zoneout):
            self.zoneout = 0.0

    @property
    def bridged_states(self):
        return 1  # h: c and n mean nothing apart
