"""The offline sample: short clips of moving shapes, and sentences that say what happens.

A shape moves in one of four directions; half the time it meets another one, which stands in its
way. Single frames tell shapes and colours; only their order tells the direction. Features of a
frame are its pixels. Deterministic.
"""

import dataclasses
import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

SIDE = 16
"""Pixels."""
FRAMES = (8, 12)
"""Of a clip, at least and at most."""
SIZES = {"train": 4000, "validation": 200, "test": 300}
COLOURS = {
    "red": (0.9, 0.15, 0.15),
    "green": (0.15, 0.8, 0.25),
    "blue": (0.2, 0.3, 0.95),
    "yellow": (0.95, 0.85, 0.2),
}
SHAPES = ("circle", "square", "cross")
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
NOISE = 0.03


@dataclasses.dataclass(frozen=True)
class Scene:
    """What happens in a clip.

    Args:
        colour, shape, direction: of what moves.
        met: colour and shape of what it meets, or None.
    """

    colour: str
    shape: str
    direction: str
    met: tuple[str, str] | None

    def captions(self) -> tuple[str, ...]:
        """What people might say."""
        moving = f"a {self.colour} {self.shape}"
        way = f"to the {self.direction}" if self.direction in ("left", "right") else self.direction
        if not self.met:
            return (f"{moving} moves {self.direction}", f"{moving} goes {way}")
        met = f"a {self.met[0]} {self.met[1]}"
        return (
            f"{moving} moves {self.direction} and meets {met}",
            f"{moving} goes {way} until it meets {met}",
        )


def scene(rng: np.random.Generator) -> Scene:
    """A scene that is drawn."""
    colours = rng.permutation(list(COLOURS))
    shapes = rng.choice(SHAPES, size=2)
    met = (str(colours[1]), str(shapes[1])) if rng.random() < 0.5 else None
    return Scene(str(colours[0]), str(shapes[0]), str(rng.choice(list(DIRECTIONS))), met)


def render(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """The clip `[frames, 16, 16, 3]`, of 0 to 1."""
    count = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
    along = np.array(DIRECTIONS[scene.direction], float)
    across = np.array([along[1], along[0]])
    lane = rng.uniform(-4.5, 4.5)
    end = 1.5 if scene.met else 5.0
    begin = -5.0 + rng.uniform(0, 1.5)
    middle = np.array([7.5, 7.5]) + lane * across
    ground = rng.uniform(0, 0.2, size=3)
    frames = np.tile(ground, [count, SIDE, SIDE, 1])
    for number, place in enumerate(np.linspace(begin, end - rng.uniform(0, 0.7), count)):
        if scene.met:
            _draw(frames[number], scene.met[1], COLOURS[scene.met[0]], middle + 5.5 * along)
        _draw(frames[number], scene.shape, COLOURS[scene.colour], middle + place * along)
    return np.clip(frames + NOISE * rng.normal(size=frames.shape), 0, 1)


def _draw(frame: np.ndarray, shape: str, colour: tuple[float, ...], place: np.ndarray) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    dx = np.abs(x - place[0])
    dy = np.abs(y - place[1])
    inside = {
        "circle": dx**2 + dy**2 <= 5.0,
        "square": np.maximum(dx, dy) <= 3.0,
        "cross": (np.minimum(dx, dy) <= 0.6) & (np.maximum(dx, dy) <= 3.2),
    }[shape]
    frame[inside] = colour


def clips(split: str) -> Iterator[tuple[str, Scene, np.ndarray]]:
    """Name, scene and frames of every clip of a split."""
    first = zlib.crc32(split.encode()) % 10**6
    for number in range(SIZES[split]):
        rng = np.random.default_rng([first, number])
        what = scene(rng)
        yield f"{split} {number}", what, render(what, rng)


class VideoSample(tfds.core.GeneratorBasedBuilder):
    """Generated clips of moving shapes with sentences."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "features": tfds.features.Tensor(shape=(None, SIDE * SIDE * 3), dtype=np.float16),
            "captions": tfds.features.Sequence(tfds.features.Text()),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for name, what, frames in clips(split):
            pixels = frames.reshape(len(frames), -1).astype(np.float16)
            yield name, {"id": name, "features": pixels, "captions": list(what.captions())}
