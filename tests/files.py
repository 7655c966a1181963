"""Small files of the kinds that applications take."""

import io

import numpy as np
from PIL import Image

from rnnsuite.device import wave


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    """A picture of random blocks, the same for the same size."""
    blocks = np.random.default_rng(width * height).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST).save(content, kind)
    return content.getvalue()


def sound(pitch: float, seconds: float = 1.0) -> bytes:
    """A WAV file of one tone, at 16 kHz."""
    samples = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16_000)) / 16_000)
    return wave.write(samples.astype(np.float32))


def daily(days: float, hours: int) -> list[float]:
    """So many hourly values of a daily wave that began so many days ago and grows."""
    time = np.arange(hours) + 24 * days
    return np.round(100 + time / 10 + 30 * np.sin(2 * np.pi * time / 24), 3).tolist()
