"""The offline sample: rendered scenes of one or two shapes, and sentences that say what and where
they are.

Some pairs of colour and shape are never seen in training: half of the test scenes have one of
them. Who has learned words and not scenes describes them all the same. Deterministic; the
scene of a picture can be made again, with the place of every shape.
"""

import dataclasses
import functools
import random
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

SIZES = {"train": 6000, "validation": 300, "test": 600}
SIDE = 64  # pixels
COLOURS = {
    "red": (214, 40, 40),
    "green": (46, 160, 67),
    "blue": (38, 84, 214),
    "yellow": (240, 200, 30),
    "purple": (140, 60, 180),
    "white": (235, 235, 235),
    "orange": (235, 120, 30),
    "turquoise": (50, 200, 200),
}
SHADES = 20  # by so much each of a colour's parts may be more or less
SHAPES = ("circle", "square", "triangle", "cross", "ring", "diamond")
RADII = {"small": (6, 7), "large": (11, 13)}  # pixels
UNSEEN = {
    ("red", "triangle"),
    ("green", "ring"),
    ("blue", "cross"),
    ("yellow", "circle"),
    ("purple", "square"),
    ("white", "diamond"),
}
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


@dataclasses.dataclass(frozen=True)
class Thing:
    """One shape.

    Args:
        size, colour, shape: their names.
        x, y, radius: pixels, of its middle and the circle around it.
        tint: red, green and blue.
    """

    size: str
    colour: str
    shape: str
    x: int
    y: int
    radius: int
    tint: tuple[int, int, int]

    def __str__(self):
        return f"a {self.size} {self.colour} {self.shape}"

    @property
    def unseen(self) -> bool:
        return (self.colour, self.shape) in UNSEEN


@dataclasses.dataclass(frozen=True)
class Scene:
    """One or two shapes on a dark ground, and how the first lies to the second."""

    things: tuple[Thing, ...]
    relation: str
    shade: int

    @property
    def captions(self) -> list[str]:
        """One sentence, or two that say the same from either side."""
        if len(self.things) == 1:
            return [str(self.things[0])]
        first, second = self.things
        return [f"{first} {self.relation} {second}", f"{second} {OPPOSITE[self.relation]} {first}"]

    @property
    def unseen(self) -> bool:
        return any(thing.unseen for thing in self.things)


def _thing(rng: random.Random, unseen: bool, box: tuple[int, int, int, int]) -> Thing:
    """A shape that lies within `box`: left, top, right and bottom in pixels."""
    pairs = (
        sorted(UNSEEN)
        if unseen
        else [(c, s) for c in COLOURS for s in SHAPES if (c, s) not in UNSEEN]
    )
    (colour, shape), size = rng.choice(pairs), rng.choice(list(RADII))
    radius = rng.choice(RADII[size])
    left, top, right, bottom = box
    x = rng.randint(left + radius, right - radius)
    y = rng.randint(top + radius, bottom - radius)
    tint = tuple(min(max(part + rng.randint(-SHADES, SHADES), 0), 255) for part in COLOURS[colour])
    return Thing(size, colour, shape, x, y, radius, tint)


def scene(rng: random.Random, unseen: bool = False) -> Scene:
    """A scene; `unseen`, with a pair of colour and shape that training never has."""
    shade = rng.randint(20, 60)
    first_unseen = rng.random() < 0.5
    whole = (1, 1, SIDE - 1, SIDE - 1)
    middle = SIDE // 2
    if rng.random() < 0.2:
        return Scene((_thing(rng, unseen, whole),), "", shade)
    relation = rng.choice(list(OPPOSITE))
    beside = relation in ("left of", "right of")
    halves = [(1, 1, middle, SIDE - 1), (middle, 1, SIDE - 1, SIDE - 1)]
    if not beside:
        halves = [(top, left, bottom, right) for left, top, right, bottom in halves]
    if relation in ("right of", "below"):
        halves.reverse()
    while True:
        first = _thing(rng, unseen and first_unseen, halves[0])
        second = _thing(rng, unseen and not first_unseen, halves[1])
        along = abs(first.x - second.x)
        across = abs(first.y - second.y)
        # Clearly beside, or clearly above, and not the same twice.
        if (along > 1.5 * across if beside else across > 1.5 * along) and str(first) != str(second):
            return Scene((first, second), relation, shade)


def scenes(split: str, seed: int = 0) -> Iterator[Scene]:
    """All scenes of a split."""
    rng = random.Random(1000 * seed + list(SIZES).index(split))
    for number in range(SIZES[split]):
        yield scene(rng, unseen=split == "test" and number % 2 == 1)


def render(scene: Scene) -> np.ndarray:
    """The picture, `[SIDE, SIDE, 3]` uint8: every pixel the mean of 16."""
    pixels = np.full([SIDE, SIDE, 3], scene.shade, np.float32)
    for thing in scene.things:  # they have no pixel in common
        left, top = (middle - thing.radius for middle in (thing.x, thing.y))
        box = pixels[top : top + 2 * thing.radius, left : left + 2 * thing.radius]
        share = _share(thing.shape, thing.radius)
        box[:] = share * np.array(thing.tint) + (1 - share) * scene.shade
    return pixels.round().astype(np.uint8)


@functools.cache
def _share(shape: str, radius: int) -> np.ndarray:
    """The share of each pixel that a shape covers, `[2 * radius, 2 * radius, 1]`."""
    fine = 4
    size = 2 * radius
    y, x = (np.mgrid[: size * fine, : size * fine] + 0.5) / fine - radius
    covered = _covered(shape, radius, x, y).reshape(size, fine, size, fine)
    return covered.mean(axis=(1, 3))[:, :, None]


def _covered(shape: str, radius: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points lie in a shape, as seen from its middle."""
    distance = np.hypot(x, y)
    if shape == "circle":
        return distance <= radius
    if shape == "ring":
        return (distance <= radius) & (distance >= 0.6 * radius)
    if shape == "square":
        return np.maximum(abs(x), abs(y)) <= 0.8 * radius
    if shape == "diamond":
        return abs(x) + abs(y) <= radius
    if shape == "cross":
        arms = np.minimum(abs(x), abs(y)) <= 0.3 * radius
        return arms & (np.maximum(abs(x), abs(y)) <= 0.95 * radius)
    return (y <= 0.7 * radius) & (y >= 2 * abs(x) / 1.1 - radius)  # a triangle that points up


class CaptioningSample(tfds.core.GeneratorBasedBuilder):
    """Rendered scenes with the sentences that describe them."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
            "captions": tfds.features.Sequence(tfds.features.Text()),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for number, made in enumerate(scenes(split)):
            yield number, {"image": render(made), "captions": made.captions}
