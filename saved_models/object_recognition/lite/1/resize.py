"""Pixels to the size that a model takes, by numpy alone: the reference for devices.

This file travels with on-device exports of models that look at pictures.
"""

import pathlib

import numpy as np


def pixels(path: "str | pathlib.Path") -> np.ndarray:
    """The pixels `[height, width, 3]` of a picture's file: .npy and binary .ppm by numpy,
    everything else by Pillow, where that is installed.

    Raises:
        SystemExit: where it cannot be read.
    """
    path = pathlib.Path(path)
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".ppm":
        head, width, height, most, content = path.read_bytes().split(maxsplit=4)
        if (head, most) != (b"P6", b"255"):
            raise SystemExit(f"{path}: only binary .ppm with 8 bits is read here")
        return np.frombuffer(content, np.uint8).reshape(int(height), int(width), 3)
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise SystemExit(f"{path}: pip install pillow, or give .ppm or .npy") from None
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Pixels stretched to a square, bilinear with antialiasing.

    Each new pixel is a mean of those within one new pixel's distance, weighted by a triangle.

    Args:
        pixels: `[height, width, 3]` of 0 to 255.
        size: pixels of a side.

    Returns:
        `[1, size, size, 3]` float32, whole numbers of 0 to 255.

    Raises:
        ValueError: on another shape.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or not pixels.size:
        raise ValueError(f"pixels must be [height, width, 3], not {list(pixels.shape)}")
    down, across = (_triangles(length, size) for length in pixels.shape[:2])
    rows = np.stack(
        [np.tensordot(weights, pixels[first : first + len(weights)], 1) for first, weights in down]
    )
    columns = [
        np.tensordot(weights, rows[:, first : first + len(weights)], (0, 1))
        for first, weights in across
    ]
    return np.round(np.clip(np.stack(columns, 1), 0, 255)).astype(np.float32)[None]


def _triangles(length: int, size: int) -> "list[tuple[int, np.ndarray]]":
    """For each new place the first old one that counts, and the weights from there on."""
    scale = length / size
    reach = max(scale, 1.0)
    triangles = []
    for place in range(size):
        middle = (place + 0.5) * scale
        first = max(0, int(np.floor(middle - reach)))
        last = min(length, int(np.ceil(middle + reach)))
        weights = np.maximum(0, 1 - np.abs(np.arange(first, last) + 0.5 - middle) / reach)
        triangles.append((first, (weights / weights.sum()).astype(np.float32)))
    return triangles
