"""Files of pictures, as a person names them."""

import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from PIL import Image, ImageOps

from rnnsuite.core.errors import UserError
from rnnsuite.core.progress import bar
from rnnsuite.inputs.image import LARGEST

FORMATS = ("JPEG", "PNG", "GIF", "BMP")


SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp")
"""Endings of such files."""


class Entry(Protocol):
    """What belongs to an image.

    Attributes:
        path: the image's file.
    """

    @property
    def path(self) -> pathlib.Path: ...


Item = TypeVar("Item", bound=Entry)


def usable(entries: Sequence[Item], skips: Callable[[str], None]) -> list[Item]:
    """Those whose file can be read.

    Args:
        entries: of any number; with many, a bar shows how far it is.
        skips: told of every fault.
    """
    readable = []
    for entry in bar(entries, desc="images", unit="image", disable=len(entries) < 5000):
        fault = check(entry.path)
        if fault:
            skips(f"{entry.path}: {fault}.")
        else:
            readable.append(entry)
    return readable


def check(path: pathlib.Path) -> str | None:
    """What is wrong with a file, or None. It is decoded, as coarsely as its format allows."""
    if not path.is_file():
        return "there is no such file"
    try:
        with Image.open(path, formats=FORMATS) as opened:
            if opened.width * opened.height > LARGEST:
                return f"{opened.width} x {opened.height} pixels are more than {LARGEST}"
            opened.draft("RGB", (64, 64))
            opened.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"not a picture that can be read ({' '.join(str(error).split()).rstrip('.')})"
    return None


def read(path: pathlib.Path) -> bytes:
    """The bytes of an image file. Raises UserError where it cannot be read."""
    fault = check(path)
    if fault:
        raise UserError(f"{path}: {fault}.")
    return path.read_bytes()


def pixels(content: bytes) -> np.ndarray:
    """The pixels of an image file, the right way up: `[height, width, 3]`, uint8 RGB."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))
