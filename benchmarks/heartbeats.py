"""How well hand-made features tell the classes of heartbeats between patients: the floor of mitbih.

    python benchmarks/heartbeats.py FOLDER

FOLDER is what `rnnsuite train event_detection -c mitbih --data FOLDER` reads: recordings with
*_annotations.tsv and *_records.tsv. Where the beats are is taken from the annotations. A logistic
regression and a random forest read of each beat the time before and behind it, and how it differs
from the beats around it and from the patient's others (de Chazal et al., IEEE TBME 51(7), 2004, use
features of these kinds). They are fitted on the patients of `train` and asked about those of `val`.
"""

import argparse
import collections
import csv
import pathlib

import numpy as np
import soundfile
from scipy.signal import butter, filtfilt
from sklearn.ensemble import RandomForestClassifier
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
WAVES = ((-110, -25), (-50, 60), (30, 140))
"""Samples from a beat on in which its P wave, its QRS complex and its T wave lie."""
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
    around = np.stack(
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
    others = within_record(smooth, beats, before, behind)
    return np.concatenate([around, others, neighbours(others), scaled(others)], axis=1)


def within_record(smooth: np.ndarray, beats: np.ndarray, before, behind) -> np.ndarray:
    """Of each beat, beside the patient's usual one: times, and its three waves (P, QRS, T)."""
    padded = np.pad(smooth, 2 * BEHIND)
    columns = [before / np.median(before), behind / np.median(behind)]
    for first, last in WAVES:
        waves = np.array([padded[at + 2 * BEHIND + first : at + 2 * BEHIND + last] for at in beats])
        median = np.median(waves, axis=0)
        size = np.ptp(median)
        height = np.ptp(waves, axis=1)
        outside = np.abs(waves - np.median(waves, axis=1, keepdims=True)) > 0.25 * height[:, None]
        width = outside.mean(axis=1)
        columns += [
            correlation(waves, np.broadcast_to(median, waves.shape)),
            height / size,
            width / np.median(width),
            np.abs(np.diff(waves, axis=1)).max(axis=1) / height,
            np.abs(waves - median).mean(axis=1) / size,
            waves.max(axis=1) / size,
            waves.min(axis=1) / size,
            waves.mean(axis=1) / size,
        ]
    return np.stack(columns, axis=1)


def neighbours(values: np.ndarray) -> np.ndarray:
    """The same of the beat before and the one behind."""
    return np.concatenate([np.roll(values, 1, axis=0), np.roll(values, -1, axis=0)], axis=1)


def scaled(values: np.ndarray) -> np.ndarray:
    """By the patient's median and quartiles, within bounds."""
    low, middle, high = np.percentile(values, [25, 50, 75], axis=0)
    return np.clip((values - middle) / np.maximum(high - low, 1e-3), -20, 20)


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
    names, counts = np.unique(classes["train"], return_counts=True)
    rarity = dict(zip(names, np.sqrt(len(classes["train"]) / counts), strict=True))
    weights = np.array([rarity[name] for name in classes["train"]])
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    linear.fit(described["train"], classes["train"], logisticregression__sample_weight=weights)
    tell("logistic regression", linear.predict(described["val"]), classes["val"])
    forest = RandomForestClassifier(200, min_samples_leaf=5, max_features=0.3, random_state=0)
    forest.fit(described["train"], classes["train"], sample_weight=weights)
    tell("random forest", forest.predict(described["val"]), classes["val"])


def tell(model: str, answers: np.ndarray, truth: np.ndarray) -> None:
    for name in CLASSES:
        right = np.sum((answers == name) & (truth == name))
        true = np.sum(truth == name)
        precision = right / max(np.sum(answers == name), 1)
        print(f"{model}, {name}: precision {precision:.3f}, recall {right / true:.3f} of {true}")


if __name__ == "__main__":
    main()
