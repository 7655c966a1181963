"""WAV bytes to samples with numpy alone, for devices. `rnnsuite.inputs.audio` does the same in a
graph.
"""

import struct

import numpy as np

RATE = 16_000
"""Samples per second (Hz) that models hear."""
HALF_WIDTH = 16
"""Zero crossings of the resampling kernel on either side of its centre."""
HIGHEST_RATE = 192_000
"""Hz. A file may claim any rate; resampling from one beyond all sense would fill the memory."""
PCM = 1
FLOAT = 3
EXTENSIBLE = 0xFFFE


def read(content: bytes) -> "tuple[np.ndarray, int]":
    """The samples of a WAV file: PCM of 8, 16, 24 and 32 bits, and 32-bit float.

    A data chunk that is cut short gives what it has; samples that are no numbers are silence.

    Args:
        content: the bytes of the file.

    Returns:
        Samples `[n]` in [-1, 1], channels mixed down, and their rate in Hz.

    Raises:
        ValueError: where it is no WAV file.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("not a WAV file: no RIFF/WAVE header")
    place = 12
    header = None
    data = None
    while place + 8 <= len(content) and data is None:
        name = content[place : place + 4]
        size = struct.unpack_from("<I", content, place + 4)[0]
        if name == b"fmt " and place + 24 <= len(content):
            header = place + 8
        elif name == b"data":
            data = content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    if header is None or data is None:
        raise ValueError("not a whole WAV file: its header is cut short")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content, header)
    if kind == EXTENSIBLE and header + 26 <= len(content):
        kind = struct.unpack_from("<H", content, header + 24)[0]
    if (kind, bits) not in [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32)] or not channels:
        raise ValueError(
            f"WAV of format {kind} with {bits} bits, {channels} channels at {rate} Hz: "
            "only PCM of 8, 16, 24 or 32 bits and 32-bit float can be read"
        )
    if not 0 < rate <= HIGHEST_RATE:
        raise ValueError(f"a rate of {rate} Hz, which is not between 1 and {HIGHEST_RATE} Hz")
    return _mixed(data, kind, bits, channels), rate


def _mixed(data: bytes, kind: int, bits: int, channels: int) -> np.ndarray:
    width = bits // 8
    raw = np.frombuffer(data[: len(data) - len(data) % (width * channels)], np.uint8).reshape(
        -1, width
    )
    if kind == FLOAT:
        values = raw.view("<f4").reshape(-1)
    elif bits == 8:
        values = (raw.reshape(-1).astype(np.float32) - 128) / 128
    else:
        wide = np.zeros([len(raw), 4], np.uint8)
        wide[:, 4 - width :] = raw
        values = wide.view("<i4").reshape(-1).astype(np.float32) / 2**31
    values = np.clip(np.where(np.isfinite(values), values, 0), -1, 1)
    return values.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def write(samples: np.ndarray, rate: int = RATE) -> bytes:
    """A mono WAV file of 16 bits. Samples `[n]` beyond [-1, 1] are clipped."""
    values = (
        (np.clip(np.asarray(samples, np.float64), -1, 1) * 32767).round().astype("<i2").tobytes()
    )
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(values),
        b"WAVE",
        b"fmt ",
        16,
        PCM,
        1,
        rate,
        2 * rate,
        2,
        16,
        b"data",
        len(values),
    )
    return header + values


def fit(samples: np.ndarray, count: int) -> np.ndarray:
    """Samples cut or filled up to a length.

    Args:
        samples: `[n]`.
        count: samples wanted.

    Returns:
        `[count]`: a shorter sound followed by silence, of a longer one the loudest part.
    """
    if len(samples) <= count:
        return np.pad(samples, (0, count - len(samples)))
    grain = max(count // 100, 1)
    blocks = -(-len(samples) // grain)
    padded = np.pad(samples, (0, blocks * grain - len(samples))).astype(np.float64)
    energy = np.concatenate(
        [[0.0], np.cumsum(np.square(padded).reshape(blocks, grain).sum(axis=1))]
    )
    window = min(count // grain, blocks)
    start = int(np.argmax(energy[window:] - energy[:-window])) * grain
    part = samples[start : start + count]
    return np.pad(part, (0, count - len(part)))


def resample(samples: np.ndarray, rate: int, count: int, to: int = RATE) -> np.ndarray:
    """Samples at another rate, by a Hann-windowed sinc.

    Source: J. O. Smith, Digital Audio Resampling, https://ccrma.stanford.edu/~jos/resample/.

    Args:
        samples: `[n]`.
        rate: theirs, in Hz.
        count: samples wanted.
        to: their rate, in Hz.

    Returns:
        `[count]` samples, float32.
    """
    if rate == to:
        return fit(samples, count)
    passed = min(1.0, to / rate)
    width = int(np.ceil(HALF_WIDTH / passed))
    places = np.arange(count, dtype=np.int64) * rate
    near = places // to
    taps = near[:, None] + np.arange(1 - width, width + 1)[None]
    away = (near[:, None] - taps) + (places % to / to)[:, None]
    kernel = (
        passed * np.sinc(passed * away) * (0.5 + 0.5 * np.cos(np.pi * np.clip(away / width, -1, 1)))
    )
    inside = (taps >= 0) & (taps < len(samples))
    values = np.where(
        inside, samples[np.clip(taps, 0, max(len(samples) - 1, 0))] if len(samples) else 0, 0
    )
    return (values * kernel.astype(np.float32)).sum(axis=1, dtype=np.float32)


def clip(content: bytes, count: int) -> np.ndarray:
    """`[count]` samples at 16 kHz of a WAV file of any rate and length. Raises ValueError."""
    samples, rate = read(content)
    return resample(fit(samples, round(count * rate / RATE)), rate, count)


def whole(content: bytes, grain: int) -> np.ndarray:
    """All samples at 16 kHz of a WAV file, silence behind them up to a multiple of a grain.

    Args:
        content: the bytes of the file.
        grain: samples.

    Returns:
        float32, at least one grain.

    Raises:
        ValueError: where it is no WAV file.
    """
    samples, rate = read(content)
    count = -(-len(samples) * RATE // rate)
    samples = resample(samples, rate, count)
    return np.pad(samples, (0, max(-(-count // grain), 1) * grain - count))
