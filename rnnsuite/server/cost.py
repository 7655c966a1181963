"""What one request may cost, told before it runs."""

import dataclasses
import math
import struct
from collections.abc import Iterable, Mapping

import numpy as np

from rnnsuite.server.status import RequestError

_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG's markers in front of a picture's size."""
_HEADER = 2**16
"""Bytes of a JPEG file within which its size must stand."""
_TEXT = 2**10
"""Bytes up to which nothing is taken for a file."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of one request.

    Args:
        rows: of its longest column.
        numbers: in all its arrays.
        characters: in all its texts; what is a picture or a sound by its first bytes counts apart.
        pixels: of all its pictures, as their headers say; of an animation, of its first frame.
        seconds: of all its WAV files, as long as they are at the rate that they name.
    """

    rows: int = 4096
    numbers: int = 2**22
    characters: int = 2**22
    pixels: int = 2**26
    seconds: int = 300

    def check(self, inputs: Mapping[str, np.ndarray]) -> int:
        """A request's rows.

        Args:
            inputs: arrays by name.

        Raises:
            RequestError: for one that is too large to be begun.
        """
        rows = max((value.shape[0] for value in inputs.values() if value.ndim), default=1)
        arrays = [value for value in inputs.values() if value.dtype.kind != "O"]
        strings = [
            text
            for value in inputs.values()
            if value.dtype.kind == "O"
            for text in value.flat
            if isinstance(text, bytes)
        ]
        counts = {
            "rows": rows,
            "numbers": sum(value.size for value in arrays),
            "characters": _characters(strings),
            "pixels": sum(map(pixels, strings)),
            "seconds": math.ceil(sum(map(seconds, strings))),
        }
        for unit, count in counts.items():
            limit = getattr(self, unit)
            if count > limit:
                raise RequestError("TOO_LARGE", f"Request has {count} {unit}; at most {limit} here")
        return rows


def _characters(strings: Iterable[bytes]) -> int:
    return sum(len(text) for text in strings if len(text) <= _TEXT or not _is_file(text))


def _is_file(content: bytes) -> bool:
    starts = (b"RIFF", b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM", b"fLaC", b"OggS")
    return content.startswith(starts)


def pixels(content: bytes) -> int:
    """The pixels of a PNG, GIF, BMP or JPEG file by its header; 0 for anything else."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", content, 16)
        elif content.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack_from("<HH", content, 6)
        elif content.startswith(b"BM"):
            width, height = map(abs, struct.unpack_from("<ii", content, 18))
        elif content.startswith(b"\xff\xd8"):
            width, height = _jpeg_size(content)
        else:
            return 0
    except struct.error:  # too short: the graph says so
        return 0
    return width * height


def seconds(content: bytes) -> float:
    """How long a WAV file sounds, which is long at a low rate; 0 for anything else."""
    if not (content.startswith(b"RIFF") and content[8:12] == b"WAVE"):
        return 0.0
    at, rate, align = 12, 0, 0
    try:
        while True:
            name, size = struct.unpack_from("<4sI", content, at)
            at += 8
            if name == b"fmt ":
                rate, _, align = struct.unpack_from("<IIH", content, at + 4)
            elif name == b"data":
                return min(size, len(content) - at) / (max(rate, 1) * max(align, 1))
            at += size + size % 2
    except struct.error:  # no data: the graph says so
        return 0.0


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height in a JPEG file's first frame."""
    at = 2
    while at < min(len(content), _HEADER):
        marker, length = struct.unpack_from(">xBH", content, at)
        if marker == 0xFF:  # a byte that fills up
            at += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length
    return 0, 0
