"""The offline sample: stick figures whose action depends on the order of their poses.

Sitting down and standing up are the same poses in either order, as are raising and lowering an arm,
and stepping to either side; only waving looks the same backwards. Everybody has limbs, a place, a
direction and a pace of their own, and is in one split only. Deterministic.
"""

import math
import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

JOINTS = (
    "hip",
    "neck",
    "head",
    "left elbow",
    "left hand",
    "right elbow",
    "right hand",
    "left knee",
    "left foot",
    "right knee",
    "right foot",
)
ACTIONS = (
    "lower the arm",
    "raise the arm",
    "sit down",
    "stand up",
    "step left",
    "step right",
    "wave",
)
BACKWARDS = {
    "lower the arm": "raise the arm",
    "sit down": "stand up",
    "step left": "step right",
    "wave": "wave",
}
"""What an action is when it runs backwards."""
SIZES = {"train": 40, "validation": 8, "test": 12}
"""People."""
EACH = 2
"""Clips of a person and action."""
NOISE = 0.01
"""Metres."""
MISSING = 0.02
"""Share of joints that are not seen."""


def _limbs(person: np.random.Generator) -> dict[str, float]:
    """Lengths in metres."""
    height = person.uniform(0.8, 1.2)
    return {
        "trunk": 0.5 * height * person.uniform(0.9, 1.1),
        "head": 0.2 * height,
        "arm": 0.28 * height * person.uniform(0.9, 1.1),
        "leg": 0.42 * height * person.uniform(0.9, 1.1),
    }


def pose(
    limbs: dict[str, float], crouch: float, raised: float, swing: float, apart: float
) -> np.ndarray:
    """Where the joints are `[11, 3]`, in metres; x is to the body's left, y up, z ahead.

    Args:
        limbs: their lengths.
        crouch: 0 standing to 1 sitting.
        raised: 0 for the right arm hanging to 1 for upright.
        swing: of the right forearm, in radians.
        apart: of the feet, in metres.
    """
    bend = crouch * math.pi / 2
    leg = limbs["leg"]
    hip = np.array([0.0, leg * (1 + math.cos(bend)), -leg * math.sin(bend)])
    lean = 0.3 * math.sin(math.pi * crouch)
    neck = hip + limbs["trunk"] * np.array([0.0, math.cos(lean), math.sin(lean)])
    head = neck + np.array([0.0, limbs["head"], 0.0])
    left_elbow = neck + np.array([0.12, -limbs["arm"], 0.0])
    left_hand = left_elbow + np.array([0.0, -limbs["arm"], 0.03])
    angle = raised * math.pi
    upper = np.array([-0.1, -math.cos(angle), math.sin(angle) * 0.8])
    right_elbow = neck + limbs["arm"] * upper / np.linalg.norm(upper)
    fore = np.array([math.sin(swing), -math.cos(angle), math.sin(angle) * 0.8])
    right_hand = right_elbow + limbs["arm"] * fore / np.linalg.norm(fore)
    left_foot = np.array([0.1 + apart / 2, 0.0, 0.0])
    right_foot = np.array([-0.1 - apart / 2, 0.0, 0.0])
    left_knee = np.array([0.1 + apart / 4, leg, 0.0])
    right_knee = np.array([-0.1 - apart / 4, leg, 0.0])
    return np.stack(
        [
            hip,
            neck,
            head,
            left_elbow,
            left_hand,
            right_elbow,
            right_hand,
            left_knee,
            left_foot,
            right_knee,
            right_foot,
        ]
    )


def clip(action: str, person: int, number: int) -> np.ndarray:
    """A performance `[frames, 11, 3]`, in metres; NaN where a joint is not seen."""
    own = np.random.default_rng([person, 1])
    limbs = _limbs(own)
    facing = own.uniform(-0.5, 0.5)
    rng = np.random.default_rng([person, ACTIONS.index(action), number, 2])
    length = int(rng.integers(18, 40))
    before, after = rng.integers(2, 10, size=2)
    progress = (1 - np.cos(np.pi * np.linspace(0, 1, length))) / 2
    progress = np.concatenate([np.zeros(before), progress, np.ones(after)])
    performed = action
    if action not in BACKWARDS:  # it is another one that runs backwards
        performed = next(name for name, backwards in BACKWARDS.items() if backwards == action)
        progress = progress[::-1]
    x = np.stack([_frame(performed, limbs, share, place) for place, share in enumerate(progress)])
    cos = math.cos(facing)
    sin = math.sin(facing)
    turned = x @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    place = np.array([rng.uniform(-1, 1), rng.uniform(-0.2, 0.2), rng.uniform(2, 3)])
    turned = turned + place + NOISE * rng.normal(size=x.shape)
    turned[rng.random(x.shape[:2]) < MISSING] = np.nan
    return turned.astype(np.float32)


def _frame(action: str, limbs: dict[str, float], share: float, place: int) -> np.ndarray:
    """The pose after a share of an action."""
    if action == "sit down":
        return pose(limbs, share, 0.0, 0.0, 0.0)
    if action == "lower the arm":
        return pose(limbs, 0.0, 0.9 * (1 - share), 0.0, 0.0)
    if action == "step left":
        apart = 0.5 * math.sin(math.pi * share)
        return pose(limbs, 0.0, 0.0, 0.0, apart) + np.array([0.6 * share, 0.0, 0.0])
    return pose(limbs, 0.0, 0.9, 0.7 * math.sin(place / 2.5), 0.0)


def clips(split: str) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Name, person, action and joints of every clip of a split."""
    first = zlib.crc32(split.encode()) % 10_000
    for person in range(SIZES[split]):
        for action in ACTIONS:
            for number in range(EACH):
                name = f"{split} {person} {action} {number}"
                joints = clip(action, first + person, number)
                yield name, f"{split} {person}", action, joints


class ActivitySample(tfds.core.GeneratorBasedBuilder):
    """Stick figures in motion; the order of their poses makes the class."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "person": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=ACTIONS),
            "values": tfds.features.Tensor(shape=(None, len(JOINTS), 3), dtype=np.float32),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for name, person, action, joints in clips(split):
            yield name, {"id": name, "person": person, "label": action, "values": joints}
