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


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of pixels."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def sound(pitch: float, seconds: float = 1.0) -> bytes:
    """A WAV file of one tone, at 16 kHz."""
    samples = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16_000)) / 16_000)
    return wave.write(samples.astype(np.float32))


def daily(days: float, hours: int) -> list[float]:
    """So many hourly values of a daily wave that began so many days ago and grows."""
    time = np.arange(hours) + 24 * days
    return np.round(100 + time / 10 + 30 * np.sin(2 * np.pi * time / 24), 3).tolist()


def phone(samples: int) -> list[list[float]]:
    """Acceleration (720 is g) and rotation (3274 is 1 rad/s) of the phone of someone who stands,
    and in the middle lies down; 50 samples a second.
    """
    rng = np.random.default_rng(0)
    standing = np.array([735.0, -95.0, 60.0])
    lying = np.array([135.0, 566.0, 414.0])
    share = np.clip((np.arange(samples) - samples // 2) / 180, 0, 1)[:, None]
    hump = np.sin(np.pi * share) ** 2
    acceleration = standing + (lying - standing) * (1 - np.cos(np.pi * share)) / 2
    acceleration = acceleration + (6 + 90 * hump) * rng.normal(size=[samples, 3])
    rotation = hump * [2500.0, 900.0, -1500.0] + (20 + 700 * hump) * rng.normal(size=[samples, 3])
    return np.round(np.concatenate([acceleration, rotation], axis=1)).tolist()
