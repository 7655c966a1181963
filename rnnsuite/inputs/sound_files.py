"""Sound files of any kind and length, and the microphone, as samples at 16 kHz."""

import pathlib
from collections.abc import Iterator

import numpy as np
import soundfile

from rnnsuite.core.errors import UserError
from rnnsuite.device import wave

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au")
_GRAIN = 25  # Hz: rates are multiples of it, so that a fortieth of a second is whole on both sides
_MARGIN = 0.04  # seconds of either neighbour that a block is resampled with


def check(path: pathlib.Path) -> str | None:
    """What is wrong with a sound file, or None: its header, and samples that are no numbers."""
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames == 0:
                return "no samples"
            if file.subtype in ("FLOAT", "DOUBLE") and not np.isfinite(file.read()).all():
                return "samples that are no numbers (NaN or infinite)"
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        return f"not a sound file that can be read ({' '.join(str(error).split()).rstrip('.')})"
    return None


def as_wav(path: pathlib.Path) -> bytes:
    """The bytes of a WAV file that `wave.read` knows.

    Args:
        path: a sound file.

    Returns:
        The file's own bytes, or mono with 16 bits at the same rate.

    Raises:
        OSError, ValueError: where it cannot be read.
    """
    if path.suffix.lower() == ".wav":
        content = path.read_bytes()
        try:
            wave.read(content)
            return content
        except ValueError:
            pass  # of another coding, perhaps
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(str(error)) from error
    return wave.write(samples.mean(axis=1), rate)


def read_sound(path: pathlib.Path) -> bytes:
    """A sound file as the bytes of a WAV file. Raises UserError where it cannot be read."""
    if not path.is_file():
        raise UserError(f"There is no sound file {path}.")
    try:
        content = as_wav(path)
        wave.read(content)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}.") from error
    return content


def followed(source: str, size: int) -> Iterator[np.ndarray]:
    """Blocks of a sound file, or of the microphone as it is spoken into.

    Args:
        source: a path, or "microphone".
        size: samples of a block, at 16 kHz.

    Yields:
        `[size]` float32.

    Raises:
        UserError: where there is nothing to be read.
    """
    path = pathlib.Path(source).expanduser()
    is_live = source == "microphone"
    if not is_live and not path.is_file():
        raise UserError(f'There is no sound file {source}; give one, or "microphone".')
    try:
        yield from microphone(size) if is_live else blocks(path, size)
    except ValueError as error:
        raise UserError(f"{source}: {error}") from error


def blocks(path: pathlib.Path, size: int) -> Iterator[np.ndarray]:
    """A sound file in blocks, mixed down, the last filled with silence.

    Reads a second at a time, so that hours need no more memory.

    Args:
        path: the file.
        size: samples of a block, at 16 kHz.

    Yields:
        `[size]` float32.

    Raises:
        ValueError: where it cannot be read, or has a rate that is no multiple of 25 Hz.
    """
    rest = np.zeros(0, np.float32)
    for second in _seconds(path):
        rest = np.concatenate([rest, second])
        whole = len(rest) // size * size
        yield from rest[:whole].reshape(-1, size)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, size - len(rest)))


def _seconds(path: pathlib.Path) -> Iterator[np.ndarray]:
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            if rate % _GRAIN:
                raise ValueError(
                    f"a rate of {rate} Hz; only multiples of {_GRAIN} Hz can be resampled in blocks"
                )
            margin = round(rate * _MARGIN)
            before = np.zeros(margin, np.float32)
            current = _mono(file, rate)
            while len(current):
                after = _mono(file, rate)
                yield _block(before, current, after[:margin], rate, margin)
                before = np.concatenate([before, current])[-margin:]
                current = after
    except soundfile.LibsndfileError as error:
        raise ValueError(str(error)) from error


def _mono(file: soundfile.SoundFile, count: int) -> np.ndarray:
    samples = file.read(count, dtype="float32", always_2d=True).mean(axis=1)
    return np.clip(np.where(np.isfinite(samples), samples, 0), -1, 1)


def _block(before, current, after, rate, margin) -> np.ndarray:
    if rate == wave.RATE:
        return current
    extra = round(wave.RATE * _MARGIN)
    count = len(current) * wave.RATE // rate
    return wave.resample(np.concatenate([before, current, after]), rate, count + extra)[extra:]


def microphone(size: int) -> Iterator[np.ndarray]:
    """Blocks from the default microphone, until it is interrupted. Needs the extra `microphone`.

    Args:
        size: samples of a block, at 16 kHz.

    Yields:
        `[size]` float32.

    Raises:
        ValueError: without sounddevice or a microphone.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio is missing
        raise ValueError(
            f"sounddevice cannot be loaded ({error}): pip install 'rnnsuite[microphone]'"
        ) from error
    try:
        with sounddevice.InputStream(wave.RATE, size, channels=1, dtype="float32") as stream:
            while True:
                yield stream.read(size)[0][:, 0]
    except sounddevice.PortAudioError as error:
        raise ValueError(f"no microphone: {error}") from error
