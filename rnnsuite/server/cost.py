"""What one request may cost, told before it runs."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from rnnsuite.server import media
from rnnsuite.server.status import RequestError

_TEXT = 2**10
"""Bytes up to which nothing is taken for a file."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of one request.

    Args:
        rows: of its longest column.
        numbers: in all its arrays.
        characters: in all its texts; what is a picture or a sound by its first bytes counts apart.
        pixels: of all its pictures, as their headers say; of an animation, of all frames.
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
        numbers = characters = pixels = seconds = 0
        for value in inputs.values():
            if value.dtype.kind != "O":
                numbers += value.size
                continue
            for text in value.flat:
                if isinstance(text, bytes):
                    if len(text) <= _TEXT or not media.is_file(text):
                        characters += len(text)
                    pixels += media.pixels(text)
                    seconds += media.seconds(text)
        if pixels >= media.HIDDEN:
            raise RequestError("TOO_LARGE", "Request has pictures whose size cannot be told")
        counts = {
            "rows": rows,
            "numbers": numbers,
            "characters": characters,
            "pixels": pixels,
            "seconds": math.ceil(min(seconds, media.HIDDEN)),
        }
        for unit, count in counts.items():
            limit = getattr(self, unit)
            if count > limit:
                raise RequestError("TOO_LARGE", f"Request has {count} {unit}; at most {limit} here")
        return rows
