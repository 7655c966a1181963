"""WAV bytes to samples at 16 kHz as TensorFlow operations; see `rnnsuite.device.wave`."""

import numpy as np
import tensorflow as tf

from rnnsuite.device.wave import EXTENSIBLE, FLOAT, HALF_WIDTH, HIGHEST_RATE, PCM, RATE
from rnnsuite.inputs.guard import require


def decode_wav(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The samples of a WAV file as operations of a graph; see `rnnsuite.device.wave.read`.

    Args:
        content: a scalar string.

    Returns:
        Samples `[n]` in [-1, 1], mixed down, and their rate in Hz.

    Raises:
        InvalidArgumentError: where it is no WAV file.
    """
    # So that a missing header can be read; it is reported below.
    whole = tf.strings.join([content, tf.constant(b"\0" * 64)])
    riff = (tf.strings.substr(whole, 0, 4) == b"RIFF") & (tf.strings.substr(whole, 8, 4) == b"WAVE")
    padded = require(whole, riff, "not a WAV file: no RIFF/WAVE header")
    size = tf.strings.length(content)
    data = tf.cast(tf.io.decode_raw(padded, tf.uint8), tf.int32)

    def number(place, width):
        place = tf.maximum(place, 0)  # clamp; a missing header is reported below
        return tf.reduce_sum(
            tf.bitwise.left_shift(data[place : place + width], 8 * tf.range(width))
        )

    def chunk(place, header, start, end):
        name = tf.strings.substr(padded, place, 4)
        length = tf.cast(number(place + 4, 4), tf.int64) & 0xFFFFFFFF
        header = tf.where((name == b"fmt ") & (place + 24 <= size), place + 8, header)
        stop = tf.cast(
            tf.minimum(tf.cast(place, tf.int64) + 8 + length, tf.cast(size, tf.int64)), tf.int32
        )
        start = tf.where(name == b"data", [place + 8, stop], [start, end])[0]
        end = tf.where(name == b"data", stop, end)
        beyond = tf.cast(place, tf.int64) + 8 + length + length % 2
        return tf.cast(tf.minimum(beyond, tf.cast(size, tf.int64)), tf.int32), header, start, end

    _, header, start, end = tf.while_loop(
        lambda place, header, start, end: (place + 8 <= size) & (start < 0), chunk, (12, -1, -1, -1)
    )
    header = require(
        header, (header >= 0) & (start >= 0), "not a whole WAV file: its header is cut short"
    )
    kind = number(header, 2)
    channels = number(header + 2, 2)
    kind = tf.where((kind == EXTENSIBLE) & (header + 26 <= size), number(header + 24, 2), kind)
    bits = _supported_bits(kind, channels, number(header + 14, 2))
    rate = number(header + 4, 4)
    is_sane = (rate > 0) & (rate <= HIGHEST_RATE)
    rate = require(rate, is_sane, f"a rate that is not between 1 and {HIGHEST_RATE} Hz")
    return _mixed(data[start:end], kind, bits, channels), rate


def _supported_bits(kind: tf.Tensor, channels: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    is_pcm = (kind == PCM) & (bits % 8 == 0) & (bits >= 8) & (bits <= 32)
    is_float = (kind == FLOAT) & (bits == 32)
    message = "only WAV of PCM with 8, 16, 24 or 32 bits and 32-bit float can be read"
    return require(bits, (is_pcm | is_float) & (channels > 0), message)


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
    """Samples cut or filled up to a length, as operations of a graph.

    Args:
        samples: `[n]`.
        count: samples wanted.

    Returns:
        `[count]`: a shorter sound followed by silence, of a longer one the loudest part.
    """
    size = tf.size(samples)
    grain = tf.maximum(tf.convert_to_tensor(count) // 100, 1)
    blocks = -(-size // grain)
    padded = tf.cast(tf.pad(samples, [[0, blocks * grain - size]]), tf.float64)
    energy = tf.cumsum(tf.reduce_sum(tf.reshape(tf.square(padded), [blocks, grain]), axis=1))
    energy = tf.concat([tf.zeros([1], tf.float64), energy], axis=0)
    window = tf.minimum(count // grain, blocks)
    start = tf.argmax(energy[window:] - energy[: blocks + 1 - window], output_type=tf.int32) * grain
    part = samples[tf.where(size > count, start, 0) :][:count]
    return tf.pad(part, [[0, count - tf.size(part)]])


def resample(samples: tf.Tensor, rate: tf.Tensor, count: int, to: int = RATE) -> tf.Tensor:
    """`[count]` samples at `to` Hz of `[n]` at `rate` Hz; see `rnnsuite.device.wave.resample`."""
    return tf.cond(
        tf.equal(rate, to),
        lambda: fit(samples, count),
        lambda: interpolate(samples, rate, count, to),
    )


def interpolate(
    samples: tf.Tensor, rate: tf.Tensor, count: int, to: int = RATE, half_width: int = HALF_WIDTH
) -> tf.Tensor:
    """As `resample`, whatever the rate. half_width: zero crossings of the kernel on a side."""
    passed = tf.minimum(1.0, to / tf.cast(rate, tf.float32))
    width = tf.cast(tf.math.ceil(half_width / passed), tf.int32)
    places = tf.range(count, dtype=tf.int64) * tf.cast(rate, tf.int64)
    near = tf.cast(places // to, tf.int32)[:, None]
    taps = near + tf.range(1 - width, width + 1)[None]
    away = (
        tf.cast(near - taps, tf.float32)
        + tf.cast(tf.cast(places % to, tf.float64) / to, tf.float32)[:, None]
    )
    window = 0.5 + 0.5 * tf.cos(
        np.pi * tf.clip_by_value(away / tf.cast(width, tf.float32), -1.0, 1.0)
    )
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
        lambda content: clip(content, count),
        contents,
        fn_output_signature=tf.float32,
        parallel_iterations=2,
    )


def whole(content: tf.Tensor, grain: int) -> tf.Tensor:
    """All samples at 16 kHz of the bytes of a WAV file; see `rnnsuite.device.wave.whole`."""
    samples, rate = decode_wav(content)
    size = tf.cast(tf.size(samples), tf.int64)
    count = tf.cast(-(-size * RATE // tf.cast(rate, tf.int64)), tf.int32)
    full = tf.maximum(-(-count // grain), 1) * grain
    return tf.pad(resample(samples, rate, count), [[0, full - count]])
