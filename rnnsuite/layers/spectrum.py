"""What a step of samples sounds like."""

import math

import keras
import numpy as np
from keras import ops

from rnnsuite.layers.casting import rows
from rnnsuite.layers.streamable import Streamable

SMALLEST = 1e-4
"""Of the power of a frequency, beside the channel's own variance."""
MIDDLE = -4.0
SPREAD = 3.0
"""Of logarithms of powers, which these make about as large as scaled samples."""


@keras.saving.register_keras_serializable("rnnsuite")
class Spectrum(keras.layers.Layer, Streamable):
    """Adds to steps of samples the logarithms of their power spectrum: `[batch, time, samples *
    channels]` to `[batch, time, samples * channels + frequencies * channels]`.

    A step's samples, less their mean, are weighted by a Hann window. How strongly something moves
    tells more by its logarithm: a tremor a hundredth as large as a stride is no less of a sign.

    Args:
        samples: of a step, at least 4.
        channels: that these are of, which stand side by side.
    """

    def __init__(self, samples: int, channels: int, **options):
        super().__init__(**options)
        self.samples = samples
        self.channels = channels
        self.frequencies = samples // 2

    def call(self, x_BxTxF):
        x_BxTxF = ops.cast(x_BxTxF, "float32")
        batch = rows(x_BxTxF)
        shape = (batch, ops.shape(x_BxTxF)[1], self.samples, self.channels)
        x_BxTxNxC = ops.reshape(x_BxTxF, shape)
        x_BxTxNxC = x_BxTxNxC - ops.mean(x_BxTxNxC, axis=2, keepdims=True)
        x_BxTxCxN = ops.transpose(x_BxTxNxC, (0, 1, 3, 2))
        parts = [ops.matmul(x_BxTxCxN, ops.array(matrix)) for matrix in self._matrices()]
        power = sum(ops.square(part) for part in parts)
        logs = (ops.log(power + SMALLEST) - MIDDLE) / SPREAD
        flat = ops.reshape(logs, (batch, shape[1], self.channels * self.frequencies))
        return ops.concatenate([x_BxTxF, flat], axis=-1)

    def stream(self, x, states):
        return self.call(x), {}

    def _matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Real and imaginary parts of the Fourier transform `[samples, frequencies]`, from the
        first frequency above 0, scaled so that powers of noise are its variance.
        """
        window = np.hanning(self.samples + 2)[1:-1]
        angles = np.outer(np.arange(self.samples), np.arange(1, self.frequencies + 1))
        angles = 2 * math.pi * angles / self.samples
        scale = window[:, None] / np.sqrt(np.square(window).sum())
        cosine = (scale * np.cos(angles)).astype(np.float32)
        return cosine, (scale * np.sin(angles)).astype(np.float32)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + self.channels * self.frequencies)

    def get_config(self):
        return {**super().get_config(), "samples": self.samples, "channels": self.channels}
