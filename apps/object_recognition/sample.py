"""The offline sample: scenes of the same parts, whose arrangement makes the class.

Every scene has a disc, a square and two crosses. Which of disc and square is above, below, left or
right of the other is the class; crosses, shades, sizes and places mean nothing. Deterministic.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

SIDE = 48
"""Pixels."""
CLASSES = ("above", "below", "left", "right")
"""Where the disc is, seen from the square."""
SIZES = {"train": 2000, "validation": 200, "test": 400}
NOISE = 12
"""Grey levels."""
COLOURS = np.array([[230, 90, 60], [70, 130, 240], [230, 90, 60], [70, 130, 240]])
"""Of disc, square and the crosses, which have the colours of either."""
SHADE = 20
"""Standard deviation of their red, green and blue."""
LEAST = 14
"""Pixels between the middles of disc and square, along the axis of the class."""


def _places(label: str, rng: np.random.Generator) -> list[tuple[float, float]]:
    """(x, y) of disc, square and two crosses, none within 9 pixels of another."""
    while True:
        spots = rng.uniform(6, SIDE - 6, size=[4, 2])
        distances = np.linalg.norm(spots[:, None] - spots[None], axis=-1)[np.triu_indices(4, 1)]
        dx, dy = spots[0] - spots[1]
        if distances.min() < 10 or max(abs(dx), abs(dy)) < LEAST:
            continue
        if max(abs(dx), abs(dy)) < 2 * min(abs(dx), abs(dy)):
            continue
        across = "left" if dx < 0 else "right"
        along = "above" if dy < 0 else "below"
        if label == (across if abs(dx) > abs(dy) else along):
            return [(float(x), float(y)) for x, y in spots]


def picture(label: str, seed: int) -> np.ndarray:
    """A scene `[48, 48, 3]`, uint8."""
    rng = np.random.default_rng([CLASSES.index(label), seed])
    ground = rng.uniform(0, 110, size=3)
    pixels = np.tile(ground, [SIDE, SIDE, 1])
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for number, (px, py) in enumerate(_places(label, rng)):
        radius = rng.uniform(3.5, 5.5)
        colour = np.clip(COLOURS[number] + rng.normal(size=3) * SHADE, 0, 255)
        dx = np.abs(x - px)
        dy = np.abs(y - py)
        if number == 0:
            is_inside = dx**2 + dy**2 <= radius**2
        elif number == 1:
            is_inside = np.maximum(dx, dy) <= 0.9 * radius
        else:
            is_inside = (np.minimum(dx, dy) <= 1) & (np.maximum(dx, dy) <= radius)
        pixels[is_inside] = colour
    pixels += rng.normal(size=pixels.shape) * NOISE
    return np.clip(pixels, 0, 255).astype(np.uint8)


def pictures(split: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, class and pixels of every picture of a split."""
    first = zlib.crc32(split.encode()) % 10**6
    for number in range(SIZES[split]):
        label = CLASSES[number % len(CLASSES)]
        yield f"{split} {number}", label, picture(label, first + number)


class ObjectSample(tfds.core.GeneratorBasedBuilder):
    """Generated scenes whose arrangement makes the class."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=CLASSES),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for name, label, pixels in pictures(split):
            yield name, {"image": pixels, "label": label}
