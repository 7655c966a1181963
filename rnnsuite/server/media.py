"""How large pictures and sounds are when they are decoded, by the headers of their files.

A library that opens pictures would tell it, too, but reads as much of a hostile file as it is told
to. Here the number of steps has a bound; what hides its size behind more of them counts as too
large.
"""

import struct

HIDDEN = 2**62
"""Pixels of a picture whose size cannot be told."""
STEPS = 200_000
"""Parts of a file that are looked at, at most."""
_GIF_FRAME = 0x2C
_GIF_EXTENSION = 0x21
_GIF_END = 0x3B
_GIF_CODE = 8
"""Bits of the first codes of a frame at most."""
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG's markers in front of a picture's size."""
_JPEG_ALONE = {0x00, 0x01, *range(0xD0, 0xD8)}
"""JPEG's markers without a length behind them."""
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_HEAD = 32
_CONTROL = 9
"""The heads of files hold smaller bytes than this one, which texts do not."""
_FILES = (b"RIFF", b"\x89PNG", b"\xff\xd8", b"GIF8", b"BM", b"fLaC", b"OggS", *_JPEG_XL)
"""How pictures and sounds begin."""


def is_file(content: bytes) -> bool:
    """Whether bytes begin as a picture or a sound does, and as no text: "BMW" is no bitmap."""
    return content.startswith(_FILES) and min(content[:_HEAD]) < _CONTROL


def pixels(content: bytes) -> int:
    """The pixels of a PNG, JPEG, GIF, BMP or WebP file, an animation's of all frames.

    Args:
        content: of the file.

    Returns:
        0 for what is no picture, or is cut before it tells its size, which the decoder refuses;
        `HIDDEN` where the size cannot be told, as of JPEG XL, which TensorFlow decodes, too.
    """
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", content, 16)
        elif content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        elif content.startswith(b"GIF"):  # decoders ask for no more
            return _gif(content)
        elif content.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", content, 18)
            return min(abs(width * height), len(content))  # of which decoders want every byte
        elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            width, height = _webp(content)
        else:
            return HIDDEN if content.startswith(_JPEG_XL) else 0
    except (struct.error, IndexError):
        return 0
    return abs(width * height)


def _jpeg(content: bytes) -> int:
    at = 2
    for _ in range(STEPS):
        at = content.find(b"\xff", at)  # as decoders do, which skip what stands between
        if at < 0:
            return 0
        marker = content[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width * height
        if marker == 0xFF:  # which only fills up
            at += 1
        elif marker in _JPEG_ALONE:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", content, at + 2)
            at += 2 + length
    return HIDDEN


def _gif(content: bytes) -> int:
    """All frames have the size of the widest and the highest one when they are decoded."""
    frames = 0
    widest = 0
    highest = 0
    at = 13 + _colours(content[10])
    is_inside = False  # of a block, whose parts have their lengths in front and end with a zero
    for _ in range(STEPS):
        kind = content[at] if at < len(content) else _GIF_END
        if is_inside:
            at += 1 + kind
            is_inside = kind > 0 and at < len(content)
        elif kind == _GIF_FRAME and at + 10 <= len(content):
            width, height = struct.unpack_from("<HH", content, at + 5)
            at += 10 + _colours(content[at + 9])
            # Where decoders give up, and answer with the frames before.
            if at >= len(content) or content[at] > _GIF_CODE:
                return frames * widest * highest
            frames += 1
            widest = max(widest, width)
            highest = max(highest, height)
            at += 1
            is_inside = True
        elif kind == _GIF_EXTENSION:
            at += 2
            is_inside = True
        else:
            return frames * widest * highest
    return HIDDEN


def _colours(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", content, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    width = int.from_bytes(content[24:27], "little") + 1
    return width, int.from_bytes(content[27:30], "little") + 1


def seconds(content: bytes) -> float:
    """How long a WAV file sounds at the rate that it names; 0 for anything else.

    Args:
        content: of the file.

    Returns:
        Seconds; infinity where the samples cannot be found.
    """
    if not (content.startswith(b"RIFF") and content[8:12] == b"WAVE"):
        return 0.0
    at = 12
    rate = 0
    align = 0
    try:
        for _ in range(STEPS):
            name, size = struct.unpack_from("<4sI", content, at)
            at += 8
            if name == b"fmt ":
                rate, _, align = struct.unpack_from("<IIH", content, at + 4)
            elif name == b"data":
                return min(size, len(content) - at) / (max(rate, 1) * max(align, 1))
            at += size + size % 2
    except struct.error:  # no samples: the graph says so
        return 0.0
    return float("inf")
