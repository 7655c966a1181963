"""The offline sample: two sensors in which only the order of two hums tells what happens.

A low hum and a high one, half a second each: low before high is a start, high before low a stop,
and on the other sensor a low one, a pause and another low one is a knock. Single hums happen too,
and mean nothing. A person, whose hums are of their own pitch and loudness, is in one split only.
Deterministic.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

RATE = 50
SECONDS = 120
CHANNELS = 2
SIZES = {"train": 24, "validation": 6, "test": 10}
LABELS = ("start", "stop", "knock")
PERSONS_EACH = 2
"""Recordings of a person."""
LOW = 4.0
HIGH = 9.0
"""Hz."""
NOISE = 0.3


def _hum(pitch: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * (pitch * time + rng.random())) * np.hanning(len(time)) ** 0.3


def _planted(
    kind: str, voice: dict[str, float], rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """What happens, as samples of its sensor, and the sensor's number."""
    length = rng.uniform(0.4, 0.6)
    low = _hum(LOW * voice["pitch"], length, rng)
    high = _hum(HIGH * voice["pitch"], rng.uniform(0.4, 0.6), rng)
    if kind == "start":
        return np.concatenate([low, high]), 0
    if kind == "stop":
        return np.concatenate([high, low]), 0
    if kind == "knock":
        gap = np.zeros(round(rng.uniform(0.15, 0.25) * RATE))
        return np.concatenate([low, gap, _hum(LOW * voice["pitch"], length, rng)]), 1
    return (low if rng.random() < 0.5 else high), int(rng.integers(2))


def recording(person: int, number: int) -> tuple[np.ndarray, list[tuple[str, int, int]]]:
    """Values `[time, 2]`, and (label, first, last) of every event in samples."""
    own = np.random.default_rng([person, 1])
    voice = {"pitch": own.uniform(0.85, 1.15), "size": own.uniform(0.8, 1.5)}
    rng = np.random.default_rng([person, number, 2])
    x = NOISE * rng.normal(size=[SECONDS * RATE, CHANNELS])
    events = []
    place = round(rng.uniform(1, 3) * RATE)
    while place < (SECONDS - 4) * RATE:
        kind = str(rng.choice([*LABELS, "single"]))
        samples, sensor = _planted(kind, voice, rng)
        x[place : place + len(samples), sensor] += voice["size"] * samples
        if kind != "single":
            events.append((kind, place, place + len(samples) - 1))
        place += len(samples) + round(rng.uniform(1, 4) * RATE)
    return x, events


def recordings(split: str) -> Iterator[tuple[str, str, np.ndarray, list[tuple[str, int, int]]]]:
    """Name, person, values and events of every recording of a split."""
    for number in range(SIZES[split]):
        person = zlib.crc32(split.encode()) % 1000 + number // PERSONS_EACH
        values, events = recording(person, number)
        yield f"{split} {number}", f"person {person}", values.astype(np.float32), events


class EventSample(tfds.core.GeneratorBasedBuilder):
    """Generated recordings in which the order of sounds tells the class."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "id": tfds.features.Text(),
            "person": tfds.features.Text(),
            "rate": tfds.features.Scalar(np.float32),
            "values": tfds.features.Tensor(shape=(None, CHANNELS), dtype=np.float32),
            "events": tfds.features.Sequence(
                {
                    "label": tfds.features.Text(),
                    "first": tfds.features.Scalar(np.int64),
                    "last": tfds.features.Scalar(np.int64),
                }
            ),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split):
        for name, person, values, events in recordings(split):
            yield (
                name,
                {
                    "id": name,
                    "person": person,
                    "rate": RATE,
                    "values": values,
                    "events": [
                        {"label": label, "first": first, "last": last}
                        for label, first, last in events
                    ],
                },
            )
