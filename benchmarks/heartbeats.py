"""How well hand-made features tell the classes of heartbeats between patients: the floor of mitbih.

    python benchmarks/heartbeats.py FOLDER

FOLDER is what `rnnsuite train event_detection -c mitbih --data FOLDER` reads: recordings with
*_annotations.tsv and *_records.tsv. Where the beats are is taken from the annotations. A logistic
regression reads of each beat the time before and behind it, and how it differs from the beats
around it (de Chazal et al., IEEE TBME 51(7), 2004, use features of these kinds). It is fitted on
the patients of `train` and asked about those of `val`.
"""

import argparse
import collections
import csv
import pathlib

import numpy as np
import soundfile
from scipy.signal import butter, filtfilt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

RATE = 360
BEFORE = 90
"""Samples before a beat that are read."""
BEHIND = 130
"""Samples behind it."""
EVERY = 4
"""One in so many of them is taken."""
AROUND = 10
"""Beats before and behind, whose medians are what is usual."""
CLASSES = "NVS"


def table(path: pathlib.Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def features(samples: np.ndarray, beats: np.ndarray) -> np.ndarray:
    """Of each beat, in seconds and shares of what is usual for the patient.

    Args:
        samples: the record.
        beats: where its beats are.

    Returns:
        Numbers `[beats, features]`.
    """
    low, high = (2 * frequency / RATE for frequency in (0.5, 40))
    smooth = filtfilt(*butter(2, [low, high], "band"), samples)
    between = np.diff(beats) / RATE
    before = np.concatenate([between[:1], between])
    behind = np.concatenate([between, between[-1:]])
    padded = np.pad(smooth, BEHIND)
    shapes = np.array([padded[at + BEHIND - BEFORE : at + 2 * BEHIND : EVERY] for at in beats])
    shapes /= np.median(np.ptp(shapes, axis=1))
    usual_time = usual(before)
    usual_shape = usual(shapes)
    whole = np.broadcast_to(np.median(shapes, axis=0), shapes.shape)
    height = np.ptp(shapes, axis=1)
    return np.stack(
        [
            before,
            behind,
            usual_time,
            before / usual_time,
            behind / usual_time,
            before / behind,
            correlation(shapes, usual_shape),
            correlation(shapes, whole),
            height,
            height / np.ptp(usual_shape, axis=1),
            np.abs(shapes - usual_shape).mean(axis=1),
            np.abs(np.diff(shapes, axis=1)).sum(axis=1),
        ],
        axis=1,
    )


def usual(values: np.ndarray) -> np.ndarray:
    """The median of the values around each."""
    return np.array(
        [
            np.median(values[max(0, at - AROUND) : at + AROUND + 1], axis=0)
            for at in range(len(values))
        ]
    )


def correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first = first - first.mean(axis=1, keepdims=True)
    second = second - second.mean(axis=1, keepdims=True)
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    return (first * second).sum(axis=1) / np.maximum(size, 1e-9)


def read(folder: pathlib.Path) -> tuple[dict, dict]:
    """Features and classes by split."""
    (records,) = folder.glob("*_records.tsv")
    (annotations,) = folder.glob("*_annotations.tsv")
    beats = collections.defaultdict(list)
    for row in table(annotations):
        if row["aami"]:
            beats[row["record"]].append((int(row["sample"]), row["aami"]))
    described = collections.defaultdict(list)
    classes = collections.defaultdict(list)
    for row in table(records):
        samples, _ = soundfile.read(folder / f"{row['record']}.flac")
        places, names = zip(*beats[row["record"]], strict=True)
        described[row["split"]].append(features(samples, np.array(places)))
        classes[row["split"]].append(np.array(names))
    return (
        {split: np.concatenate(rows) for split, rows in described.items()},
        {split: np.concatenate(rows) for split, rows in classes.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    described, classes = read(parser.parse_args().folder)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    names, counts = np.unique(classes["train"], return_counts=True)
    rarity = dict(zip(names, np.sqrt(len(classes["train"]) / counts), strict=True))
    model.fit(
        described["train"],
        classes["train"],
        logisticregression__sample_weight=[rarity[name] for name in classes["train"]],
    )
    answers = model.predict(described["val"])
    for name in CLASSES:
        right = np.sum((answers == name) & (classes["val"] == name))
        answered = np.sum(answers == name)
        true = np.sum(classes["val"] == name)
        precision = right / max(answered, 1)
        print(f"{name}: precision {precision:.3f}, recall {right / true:.3f} of {true}")


if __name__ == "__main__":
    main()
