"""Finds the groups of UCF101's clips, where a file of features does not name them.

    python benchmarks/ucf101_groups.py FEATURES.npz RESULT.npz

Clips of a group, 4 to 7 of a class in the order of their numbers, are cut from one video, and a
split that divides a group is no split. Neighbours' mean frames tell where a group ends: each class
is divided into its 18 training groups so that neighbours within a group are most alike. RESULT has
the same arrays, and `group`.
"""

import argparse
import pathlib

import numpy as np

from rnnsuite.core.files import atomic_file
from rnnsuite.data.arrays import loaded

GROUPS = 18
"""Of a class in split 1's training part: 8 to 25."""
SIZES = range(4, 8)
"""Clips of a group."""


def groups(frames: np.ndarray, count: int = GROUPS) -> np.ndarray:
    """The group of each clip of a class.

    Args:
        frames: mean frames `[clips, features]`, in the order of the clips' numbers.
        count: of groups.

    Returns:
        Numbers from 0 `[clips]`.
    """
    unit = frames / np.linalg.norm(frames, axis=1, keepdims=True)
    alike = np.concatenate([[0.0], (unit[1:] * unit[:-1]).sum(axis=1)])
    total = np.cumsum(alike)
    clips = len(frames)
    best = np.full([count + 1, clips + 1], -np.inf)
    best[0, 0] = 0.0
    size_of = np.zeros([count + 1, clips + 1], int)
    for group in range(1, count + 1):
        for end in range(1, clips + 1):
            for size in SIZES:
                begin = end - size
                if begin < 0 or best[group - 1, begin] == -np.inf:
                    continue
                value = best[group - 1, begin] + total[end - 1] - total[begin]
                if value > best[group, end]:
                    best[group, end] = value
                    size_of[group, end] = size
    if best[count, clips] == -np.inf:
        raise SystemExit(f"{clips} clips are not {count} groups of {SIZES.start} to {SIZES[-1]}.")
    numbers = np.zeros(clips, int)
    end = clips
    for group in range(count, 0, -1):
        begin = end - size_of[group, end]
        numbers[begin:end] = group - 1
        end = begin
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=pathlib.Path)
    parser.add_argument("result", type=pathlib.Path)
    arguments = parser.parse_args()
    content = loaded(arguments.features)
    names = np.empty(len(content["label"]), "U40")
    for label in np.unique(content["label"]):
        places = np.flatnonzero(content["label"] == label)
        places = places[np.argsort(content["video"][places])]
        frames = content["features"][places].astype(np.float32).mean(axis=1)
        names[places] = [f"{label} {number}" for number in groups(frames)]
    with atomic_file(arguments.result) as part, open(part, "wb") as stream:
        np.savez_compressed(stream, **content, group=names)
    print(f"{len(np.unique(names))} groups of {len(names)} clips")


if __name__ == "__main__":
    main()
