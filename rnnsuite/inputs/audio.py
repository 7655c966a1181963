"""Samples to features: the same layers in tf.data, in the exported graph and in a stream.

Frames end with their newest sample and begin in silence, so that nothing looks ahead: the features
of a whole recording are those of its pieces.
"""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.core.context import PRECISE
from rnnsuite.device.wave import RATE
from rnnsuite.layers.casting import as_floats, rows
from rnnsuite.layers.streamable import StateSpec, Streamable

# samples: 25 ms, 10 ms, and the next power of two
WINDOW = 400
HOP = 160
FFT = 512
# Hz
LOWEST = 20.0
HIGHEST = 7600.0
FLOOR = 1e-6  # added to the energy before the logarithm


@keras.saving.register_keras_serializable("rnnsuite")
class LogMel(Streamable, keras.layers.Layer):
    """Samples at 16 kHz `[batch, n]` to log-mel energies, or MFCC, `[batch, n / 160, bins]`.

    Frames of 25 ms every 10 ms, Hann window, power spectrum by an FFT of 512, triangular filters
    even on the mel scale from 20 to 7,600 Hz, natural logarithm. A frame ends with its newest
    sample; before the first sample there is silence.

    Args:
        bins: filters.
        coefficients: of MFCC, the first of the orthonormal DCT-II (Davis & Mermelstein 1980); 0
            for log-mel energies.

    Raises:
        ValueError: for more coefficients than bins.
    """

    def __init__(self, bins: int = 40, coefficients: int = 0, **options):
        super().__init__(**{**options, "dtype": "float32"})  # energies span more than 8 bits
        if coefficients > bins:
            raise ValueError(f"coefficients must be at most bins ({bins}), not {coefficients}")
        self.bins = bins
        self.coefficients = coefficients
        # A periodic Hann window; zeros up to the length of the FFT.
        self.window = np.pad(np.hanning(WINDOW + 1)[:-1], (0, FFT - WINDOW)).astype(np.float32)
        self.filters = tf.signal.linear_to_mel_weight_matrix(
            bins, FFT // 2 + 1, RATE, LOWEST, HIGHEST
        ).numpy()

    @property
    def width(self) -> int:
        return self.coefficients or self.bins

    @property
    def states(self):
        return {"samples": StateSpec((WINDOW - HOP,))}

    def call(self, samples_BxN):
        samples_BxN = as_floats(samples_BxN, self.compute_dtype)
        silence = tf.zeros([tf.shape(samples_BxN)[0], WINDOW - HOP])
        return self.stream(samples_BxN, {"samples": silence})[0]

    def stream(self, samples_BxN, states):
        """The features of the next samples, a multiple of 160, and the new states."""
        with tf.name_scope(PRECISE):  # energies span more than 8 bits
            return self._stream(samples_BxN, states)

    def _stream(self, samples_BxN, states):
        static_size = samples_BxN.shape[1]
        samples = tf.concat([states["samples"], samples_BxN], axis=1)
        frames = static_size // HOP if static_size else tf.shape(samples_BxN)[1] // HOP
        pieces = tf.reshape(self._hops(samples, frames), [rows(samples), frames, WINDOW])
        spectrum = tf.signal.rfft(
            tf.pad(pieces, [[0, 0], [0, 0], [0, FFT - WINDOW]]) * self.window, [FFT]
        )
        energy = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        # Filters on the left: a constant on the right would become int8 in dynamic-range files, and
        # energies with it.
        mel = tf.linalg.matrix_transpose(tf.matmul(self.filters.T, energy, transpose_b=True))
        features = tf.math.log(mel + FLOOR)
        if self.coefficients:
            features = tf.matmul(features, _dct(self.bins)[:, : self.coefficients])
        features = tf.reshape(features, [rows(samples), frames, self.width])
        return features, {"samples": samples[:, HOP - WINDOW :]}

    @staticmethod
    def _hops(samples, frames):
        """Windows of 400 every 160, of pieces of 80: 160 x t + 0 .. 400."""
        piece = 80
        used = samples[:, : (frames - 1) * HOP + WINDOW]
        parts = tf.reshape(used, [rows(samples), (frames - 1) * 2 + 5, piece])
        return tf.concat([parts[:, i : i + 2 * (frames - 1) + 1 : 2] for i in range(5)], axis=2)

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] and shape[1] // HOP, self.width)

    def get_config(self):
        return {**super().get_config(), "bins": self.bins, "coefficients": self.coefficients}


def _dct(size: int) -> np.ndarray:
    """Orthonormal DCT-II, `[size, size]`: a row vector times it is its transform."""
    n = np.arange(size)[:, None]
    k = np.arange(size)[None]
    scale = np.where(k == 0, np.sqrt(1 / size), np.sqrt(2 / size))
    return (scale * np.cos(np.pi * (n + 0.5) * k / size)).astype(np.float32)


@keras.saving.register_keras_serializable("rnnsuite")
class FeatureNormalization(Streamable, keras.layers.Layer):
    """Features `[batch, time, width]` minus a mean, over a standard deviation.

    Args:
        kind: "fixed" subtracts `mean`; "running" an exponential moving mean that begins at `mean`;
            "clip" each clip's own mean, which no stream knows.
        mean, std: `[width]`, of the training data.
        steps: time constant of the moving mean.
    """

    def __init__(
        self, kind: Literal["fixed", "running", "clip"], mean, std, steps: float = 100.0, **options
    ):
        super().__init__(**{**options, "dtype": "float32"})
        self.kind = kind
        self.mean = list(mean)
        self.std = list(std)
        self.steps = steps

    def call(self, x_BxTxD):
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        if self.kind == "clip":
            with tf.name_scope(PRECISE):
                return (x_BxTxD - tf.reduce_mean(x_BxTxD, axis=1, keepdims=True)) / self.std
        zeros = tf.zeros([tf.shape(x_BxTxD)[0], len(self.mean)])
        return self.stream(x_BxTxD, {"mean": zeros})[0]

    @property
    def states(self):
        return {"mean": StateSpec((len(self.mean),))} if self.kind == "running" else {}

    def stream(self, x_BxTxD, states):
        """The next steps normalised, and the new states: how far the moving mean is from `mean`."""
        if self.kind == "clip":
            raise ValueError(
                "features normalised by the whole clip's mean have no stream; use running or fixed"
            )
        with tf.name_scope(PRECISE):
            return self._stream(x_BxTxD, states)

    def _stream(self, x_BxTxD, states):
        x_BxTxD = x_BxTxD - self.mean
        if self.kind == "fixed":
            return x_BxTxD / self.std, {}
        # m_t = k m_(t-1) + (1 - k) x_t, solved for all t at once: a triangle of powers of k.
        static_count = x_BxTxD.shape[1]
        count = static_count or tf.shape(x_BxTxD)[1]
        decay = float(np.exp(-1 / self.steps))
        ages = tf.range(count)[:, None] - tf.range(count)[None]
        weights_TxT = tf.where(
            ages >= 0, (1 - decay) * tf.pow(decay, tf.cast(tf.maximum(ages, 0), tf.float32)), 0.0
        )
        fading_T = tf.pow(decay, tf.cast(tf.range(count) + 1, tf.float32))
        means = (
            tf.einsum("ts,bsd->btd", weights_TxT, x_BxTxD)
            + fading_T[:, None] * states["mean"][:, None]
        )
        return (x_BxTxD - means) / self.std, {"mean": means[:, -1]}

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        names = ("kind", "mean", "std", "steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
