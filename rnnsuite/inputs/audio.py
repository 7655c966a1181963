"""Sound to features as TensorFlow ops: one object for tf.data, for the exported graph and for a stream.

Frames end with their newest sample and begin in silence, so that nothing looks ahead: the
features of a whole recording are those of its pieces.
"""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.inputs.held import held
from rnnsuite.inputs.wave import EXTENSIBLE, FLOAT, HALF_WIDTH, HIGHEST_RATE, PCM, RATE
from rnnsuite.layers.form import PRECISE

WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms, and the next power of two
LOWEST, HIGHEST = 20.0, 7600.0  # Hz
FLOOR = 1e-6  # added to the energy before the logarithm


def decode_wav(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples `[n]` in [-1, 1], mixed down, and their rate in Hz, of a scalar string; see `rnnsuite.inputs.wave.read`.

    Raises InvalidArgumentError where it is no WAV file.
    """
    whole = tf.strings.join([content, tf.constant(b"\0" * 64)])  # so that a header can be read that is not there
    riff = (tf.strings.substr(whole, 0, 4) == b"RIFF") & (tf.strings.substr(whole, 8, 4) == b"WAVE")
    padded = held(whole, riff, "not a WAV file: no RIFF/WAVE header")
    size = tf.strings.length(content)
    data = tf.cast(tf.io.decode_raw(padded, tf.uint8), tf.int32)

    def number(place, width):
        place = tf.maximum(place, 0)  # of a header that is not there, which is told elsewhere
        return tf.reduce_sum(tf.bitwise.left_shift(data[place : place + width], 8 * tf.range(width)))

    def chunk(place, header, start, end):
        name = tf.strings.substr(padded, place, 4)
        length = tf.cast(number(place + 4, 4), tf.int64) & 0xFFFFFFFF
        header = tf.where((name == b"fmt ") & (place + 24 <= size), place + 8, header)
        stop = tf.cast(tf.minimum(tf.cast(place, tf.int64) + 8 + length, tf.cast(size, tf.int64)), tf.int32)
        start, end = tf.where(name == b"data", [place + 8, stop], [start, end])[0], tf.where(name == b"data", stop, end)
        beyond = tf.cast(place, tf.int64) + 8 + length + length % 2
        return tf.cast(tf.minimum(beyond, tf.cast(size, tf.int64)), tf.int32), header, start, end

    _, header, start, end = tf.while_loop(
        lambda place, header, start, end: (place + 8 <= size) & (start < 0), chunk, (12, -1, -1, -1)
    )
    header = held(header, (header >= 0) & (start >= 0), "not a whole WAV file: its header is cut short")
    kind, channels, rate, bits = number(header, 2), number(header + 2, 2), number(header + 4, 4), number(header + 14, 2)
    kind = tf.where((kind == EXTENSIBLE) & (header + 26 <= size), number(header + 24, 2), kind)
    known = ((kind == PCM) & (bits % 8 == 0) & (bits >= 8) & (bits <= 32)) | ((kind == FLOAT) & (bits == 32))
    bits = held(bits, known & (channels > 0), "only WAV of PCM with 8, 16, 24 or 32 bits and 32-bit float can be read")
    rate = held(rate, (rate > 0) & (rate <= HIGHEST_RATE), f"a rate that is not between 1 and {HIGHEST_RATE} Hz")
    return _mixed(data[start:end], kind, bits, channels), rate


def _mixed(data: tf.Tensor, kind: tf.Tensor, bits: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    width = bits // 8
    data = tf.reshape(data[: tf.size(data) // (width * channels) * (width * channels)], [-1, width])
    # The most significant byte at the top: the sign comes by itself.
    wide = tf.reduce_sum(tf.bitwise.left_shift(data, 8 * (tf.range(width) + 4 - width)), axis=1)
    unsigned = tf.cast(bits == 8, tf.int32)
    values = tf.cast(wide - unsigned * tf.bitwise.left_shift(1, 31), tf.float32) / 2**31
    values = tf.where(kind == FLOAT, tf.bitcast(wide, tf.float32), values)
    values = tf.clip_by_value(tf.where(tf.math.is_finite(values), values, 0.0), -1.0, 1.0)
    return tf.reduce_mean(tf.reshape(values, [-1, channels]), axis=1)


def fit(samples: tf.Tensor, count: tf.Tensor | int) -> tf.Tensor:
    """`[n]` to `[count]`: a shorter one followed by silence, of a longer one the loudest part of that length."""
    size, grain = tf.size(samples), tf.maximum(tf.convert_to_tensor(count) // 100, 1)
    blocks = -(-size // grain)
    padded = tf.cast(tf.pad(samples, [[0, blocks * grain - size]]), tf.float64)
    energy = tf.cumsum(tf.reduce_sum(tf.reshape(tf.square(padded), [blocks, grain]), axis=1))
    energy = tf.concat([tf.zeros([1], tf.float64), energy], axis=0)
    window = tf.minimum(count // grain, blocks)
    start = tf.argmax(energy[window:] - energy[: blocks + 1 - window], output_type=tf.int32) * grain
    part = samples[tf.where(size > count, start, 0) :][:count]
    return tf.pad(part, [[0, count - tf.size(part)]])


def resample(samples: tf.Tensor, rate: tf.Tensor, count: int, to: int = RATE) -> tf.Tensor:
    """`[count]` samples at `to` Hz of `[n]` at `rate` Hz; see `rnnsuite.inputs.wave.resample`."""
    return tf.cond(tf.equal(rate, to), lambda: fit(samples, count), lambda: interpolate(samples, rate, count, to))


def interpolate(
    samples: tf.Tensor, rate: tf.Tensor, count: int, to: int = RATE, half_width: int = HALF_WIDTH
) -> tf.Tensor:
    """As `resample`, whatever the rate; a kernel of `half_width` zero crossings on either side, fewer are faster."""
    passed = tf.minimum(1.0, to / tf.cast(rate, tf.float32))
    width = tf.cast(tf.math.ceil(half_width / passed), tf.int32)
    places = tf.range(count, dtype=tf.int64) * tf.cast(rate, tf.int64)
    near = tf.cast(places // to, tf.int32)[:, None]
    taps = near + tf.range(1 - width, width + 1)[None]
    away = tf.cast(near - taps, tf.float32) + tf.cast(tf.cast(places % to, tf.float64) / to, tf.float32)[:, None]
    window = 0.5 + 0.5 * tf.cos(np.pi * tf.clip_by_value(away / tf.cast(width, tf.float32), -1.0, 1.0))
    kernel = passed * _sinc(passed * away) * window
    padded = tf.pad(samples, [[0, 1]])  # what lies outside reads this zero
    size = tf.size(samples)
    values = tf.gather(padded, tf.where((taps >= 0) & (taps < size), taps, size))
    return tf.reduce_sum(values * kernel, axis=1)


def _sinc(x):
    zero = tf.equal(x, 0)
    x = np.pi * tf.where(zero, tf.ones_like(x), x)
    return tf.where(zero, tf.ones_like(x), tf.sin(x) / x)


def clip(content: tf.Tensor, count: int) -> tf.Tensor:
    """`[count]` samples at 16 kHz of the bytes of a WAV file of any rate and length."""
    samples, rate = decode_wav(content)
    at_rate = tf.cast(tf.round(count * tf.cast(rate, tf.float64) / RATE), tf.int32)
    samples = resample(fit(samples, at_rate), rate, count)
    samples.set_shape([count])
    return samples


def clips(contents: tf.Tensor, count: int) -> tf.Tensor:
    """Strings `[batch]` to samples `[batch, count]`."""
    # Few at a time: resampling from the highest rates takes hundreds of megabytes.
    return tf.map_fn(
        lambda content: clip(content, count), contents, fn_output_signature=tf.float32, parallel_iterations=2
    )


@keras.saving.register_keras_serializable("rnnsuite")
class LogMel(keras.layers.Layer):
    """Samples at 16 kHz `[batch, n]` to log-mel energies, or MFCC, `[batch, n / 160, bins]`.

    Frames of 25 ms every 10 ms, Hann window, power spectrum by an FFT of 512, `bins`
    triangular filters even on the mel scale from 20 to 7,600 Hz, natural logarithm. MFCC:
    the first `coefficients` of their orthonormal DCT-II (Davis & Mermelstein 1980); 0 for none.
    A frame ends with its newest sample; before the first sample there is silence.
    """

    def __init__(self, bins: int = 40, coefficients: int = 0, **options):
        super().__init__(**options)
        if coefficients > bins:
            raise ValueError(f"coefficients must be at most bins ({bins}), not {coefficients}")
        self.bins, self.coefficients = bins, coefficients
        self.states = {"samples": [WINDOW - HOP]}
        # A periodic Hann window; zeros up to the length of the FFT.
        self.window = np.pad(np.hanning(WINDOW + 1)[:-1], (0, FFT - WINDOW)).astype(np.float32)
        self.filters = tf.signal.linear_to_mel_weight_matrix(bins, FFT // 2 + 1, RATE, LOWEST, HIGHEST).numpy()

    @property
    def width(self) -> int:
        return self.coefficients or self.bins

    def call(self, samples_BxN):
        return self.chunk(samples_BxN, {"samples": tf.zeros([tf.shape(samples_BxN)[0], WINDOW - HOP])})[0]

    def chunk(self, samples_BxN, states):
        """The features of the next samples, a multiple of 160, and the new states."""
        with tf.name_scope(PRECISE):  # energies span more than 8 bits
            return self._chunk(samples_BxN, states)

    def _chunk(self, samples_BxN, states):
        known = samples_BxN.shape[1]
        samples = tf.concat([states["samples"], samples_BxN], axis=1)
        frames = known // HOP if known else tf.shape(samples_BxN)[1] // HOP
        pieces = tf.reshape(self._hops(samples, frames), [-1, frames, WINDOW])
        spectrum = tf.signal.rfft(tf.pad(pieces, [[0, 0], [0, 0], [0, FFT - WINDOW]]) * self.window, [FFT])
        energy = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        # Filters on the left: a constant on the right would become int8 in dynamic-range files, and energies with it.
        mel = tf.linalg.matrix_transpose(tf.matmul(self.filters.T, energy, transpose_b=True))
        features = tf.math.log(mel + FLOOR)
        if self.coefficients:
            features = tf.matmul(features, _dct(self.bins)[:, : self.coefficients])
        features = tf.reshape(features, [-1, frames, self.width])
        return features, {"samples": samples[:, HOP - WINDOW :]}

    @staticmethod
    def _hops(samples, frames):
        """Windows of 400 every 160, of pieces of 80: 160 x t + 0 .. 400."""
        piece = 80
        parts = tf.reshape(samples[:, : (frames - 1) * HOP + WINDOW], [-1, (frames - 1) * 2 + 5, piece])
        return tf.concat([parts[:, i : i + 2 * (frames - 1) + 1 : 2] for i in range(5)], axis=2)

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] and shape[1] // HOP, self.width)

    def get_config(self):
        return {**super().get_config(), "bins": self.bins, "coefficients": self.coefficients}


def _dct(size: int) -> np.ndarray:
    """Orthonormal DCT-II, `[size, size]`: a row vector times it is its transform."""
    n, k = np.arange(size)[:, None], np.arange(size)[None]
    scale = np.where(k == 0, np.sqrt(1 / size), np.sqrt(2 / size))
    return (scale * np.cos(np.pi * (n + 0.5) * k / size)).astype(np.float32)


@keras.saving.register_keras_serializable("rnnsuite")
class Normalised(keras.layers.Layer):
    """Features `[batch, time, width]` minus a mean, over a deviation, both `[width]` or learned from the sound.

    kind: "fixed" subtracts `mean`; "running" subtracts an exponential moving mean with a time
    constant of `steps`, which begins at `mean`; "clip" subtracts each clip's own mean, which
    no stream knows. All divide by `deviation`.
    """

    def __init__(self, kind: Literal["fixed", "running", "clip"], mean, deviation, steps: float = 100.0, **options):
        super().__init__(**options)
        self.kind, self.mean, self.deviation, self.steps = kind, list(mean), list(deviation), steps
        self.states = {"mean": [len(self.mean)]} if kind == "running" else {}

    def call(self, x_BxTxD):
        if self.kind == "clip":
            with tf.name_scope(PRECISE):
                return (x_BxTxD - tf.reduce_mean(x_BxTxD, axis=1, keepdims=True)) / self.deviation
        return self.chunk(x_BxTxD, {"mean": tf.zeros([tf.shape(x_BxTxD)[0], len(self.mean)])})[0]

    def chunk(self, x_BxTxD, states):
        """The next steps normalised, and the new states: how far the moving mean is from `mean`."""
        if self.kind == "clip":
            raise ValueError("features normalised by the whole clip's mean have no stream; use running or fixed")
        with tf.name_scope(PRECISE):
            return self._chunk(x_BxTxD, states)

    def _chunk(self, x_BxTxD, states):
        x_BxTxD = x_BxTxD - self.mean
        if self.kind == "fixed":
            return x_BxTxD / self.deviation, {}
        # m_t = k m_(t-1) + (1 - k) x_t, solved for all t at once: a triangle of powers of k.
        known = x_BxTxD.shape[1]
        count, kept = known or tf.shape(x_BxTxD)[1], float(np.exp(-1 / self.steps))
        ages = tf.range(count)[:, None] - tf.range(count)[None]
        weights_TxT = tf.where(ages >= 0, (1 - kept) * tf.pow(kept, tf.cast(tf.maximum(ages, 0), tf.float32)), 0.0)
        fading_T = tf.pow(kept, tf.cast(tf.range(count) + 1, tf.float32))
        means = tf.einsum("ts,bsd->btd", weights_TxT, x_BxTxD) + fading_T[:, None] * states["mean"][:, None]
        return (x_BxTxD - means) / self.deviation, {"mean": means[:, -1]}

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        names = ("kind", "mean", "deviation", "steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
