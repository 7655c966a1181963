"""The offline sample: a machine of three sensors, with anomalies that no single value shows.

A load goes in waves of 24 steps, a flow follows it three steps later, and a pump turns in waves of
10 steps. Train is normal. In validation and test stand five kinds of anomalies, each of which stays
within the values that are usual: a spike against the wave, a slow drift, a wave that stops for a
while, a flow that follows no more, and a pump that turns faster. Deterministic.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

CHANNELS = ("load", "flow", "pump")
SIZES = {"train": 12, "validation": 6, "test": 16}
STEPS = 1500
KINDS = ("spike", "drift", "stop", "uncoupled", "faster")
PERIOD = 24
TURN = 10
DELAY = 3
NOISE = 0.08
BEGIN = 200
"""Steps of a test series before its first anomaly."""
APART = 150
"""Steps from one anomaly to the next, at least."""


def normal(rng: np.random.Generator) -> np.ndarray:
    """A series without anomalies `[STEPS, 3]`."""
    load = _wave(np.full(STEPS + DELAY, PERIOD), rng)
    pump = np.sin(rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(STEPS) / TURN)
    x = np.stack([load[DELAY:], load[:STEPS], pump], axis=1)
    return x + NOISE * rng.normal(size=x.shape)


def _wave(periods: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wave with a second harmonic, whose size swings slowly, within -1.5 to 1.5."""
    phase = rng.uniform(0, 2 * np.pi) + np.cumsum(2 * np.pi / periods)
    swing = 1 + 0.3 * np.sin(rng.uniform(0, 2 * np.pi) + phase / 7)
    return swing * (np.sin(phase) + 0.3 * np.sin(2 * phase))


def anomalous(rng: np.random.Generator, kinds: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """A series with these anomalies, in this order: values `[STEPS, 3]` and labels `[STEPS]`."""
    x = normal(rng)
    labels = np.zeros(STEPS, np.int32)
    room = (STEPS - BEGIN) // len(kinds)
    for number, kind in enumerate(kinds):
        length = 2 if kind == "spike" else int(rng.integers(30, 60))
        start = BEGIN + number * room + int(rng.integers(0, room - APART + 1))
        part = slice(start, start + length)
        x[part] = _PLANT[kind](x, part, rng)
        labels[part] = 1
    return x, labels


def _spike(x: np.ndarray, part: slice, rng: np.random.Generator) -> np.ndarray:
    changed = x[part].copy()
    changed[:, 0] = np.where(changed[:, 0] > 0, changed[:, 0] - 1.3, changed[:, 0] + 1.3)
    return changed


def _drift(x: np.ndarray, part: slice, rng: np.random.Generator) -> np.ndarray:
    """The load moves to the middle of its wave, and its sensor with it."""
    changed = x[part].copy()
    share = np.linspace(0, 1, len(changed))
    level = rng.uniform(-0.5, 0.5)
    changed[:, 0] = (1 - share) * changed[:, 0] + share * level
    return changed


def _stop(x: np.ndarray, part: slice, rng: np.random.Generator) -> np.ndarray:
    changed = x[part].copy()
    changed[:, :2] = changed[0, :2] + NOISE * rng.normal(size=changed[:, :2].shape)
    return changed


def _uncoupled(x: np.ndarray, part: slice, rng: np.random.Generator) -> np.ndarray:
    """The flow is that of another time."""
    changed = x[part].copy()
    away = PERIOD // 2 + int(rng.integers(-3, 4))
    changed[:, 1] = x[part.start - away : part.stop - away, 1]
    return changed


def _faster(x: np.ndarray, part: slice, rng: np.random.Generator) -> np.ndarray:
    changed = x[part].copy()
    steps = np.arange(len(changed))
    turn = np.sin(rng.uniform(0, 2 * np.pi) + 2 * np.pi * steps / (0.7 * TURN))
    changed[:, 2] = turn + NOISE * rng.normal(size=len(steps))
    return changed


_PLANT = {
    "spike": _spike,
    "drift": _drift,
    "stop": _stop,
    "uncoupled": _uncoupled,
    "faster": _faster,
}


def series(split: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, values and labels of every series of a split."""
    for number in range(SIZES[split]):
        rng = np.random.default_rng([zlib.crc32(split.encode()), number])
        if split != "train":
            x, labels = anomalous(rng, [str(kind) for kind in rng.permutation(KINDS)[:4]])
        else:
            x = normal(rng)
            labels = np.zeros(STEPS, np.int32)
        yield f"{split} {number}", x.astype(np.float32), labels


class AnomalySample(tfds.core.GeneratorBasedBuilder):
    """Generated series of three sensors, with anomalies in all but the training part."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "values": tfds.features.Tensor(shape=(None, len(CHANNELS)), dtype=np.float32),
            "labels": tfds.features.Tensor(shape=(None,), dtype=np.int32),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for name, values, labels in series(split):
            yield name, {"id": name, "values": values, "labels": labels}
