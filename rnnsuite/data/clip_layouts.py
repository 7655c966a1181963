"""Files and folders in which clips are published, and one's own."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data import labels, splits
from rnnsuite.data.clip_arrays import ARRAYS, VIDEOS, ReadVideo, clip_of_file, clips_of_file
from rnnsuite.data.clips import Clip, ClipsConfig
from rnnsuite.data.recording_layouts import ACTIVITIES, ANNOTATIONS, read_recordings
from rnnsuite.data.tables import is_table
from rnnsuite.data.within import within

INERTIAL = "Inertial Signals"
"""The folder, in train and test, by which UCI-HAR is known (Anguita et al., ESANN 2013)."""
LISTS = {"train": "trainlist01.txt", "test": "testlist01.txt"}
"""By which a folder with UCF101's lists is known (Soomro et al., arXiv 1212.0402)."""

Reader = Callable[[pathlib.Path, ClipsConfig, ReadVideo | None], dict[str, list[Clip]]]


def read_clips(
    root: pathlib.Path, config: ClipsConfig, read_video: ReadVideo | None = None
) -> dict[str, list[Clip]]:
    """All clips of a source by split.

    Args:
        root: a `.npz` file, or a folder of such for each split, with `joints` or `features` of all
            clips; UCI-HAR's folder; recordings with labelled intervals, which are cut into windows;
            UCF101's lists beside videos or files of features; folders of classes with a file for
            each clip, which may be a video.
        config: how these are written, and who is in which split.
        read_video: gives the features of a video's file.

    Returns:
        Clips by the splits that the source has; "all" where there is none.

    Raises:
        UserError: for what cannot be read.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    clips = _reader(root)(root, config, read_video)
    chosen = {split: _chosen(many, config) for split, many in clips.items()}
    if not any(chosen.values()):
        raise UserError(f"{root} holds no clips of {', '.join(config.classes) or 'any class'}.")
    _check_names(root, chosen)
    return _by_people(root, chosen, config) if config.people else chosen


def _reader(root: pathlib.Path) -> Reader:
    if (root / "train" / INERTIAL).is_dir():
        return _inertial
    if any((root / name).is_file() for name in LISTS.values()):
        return _listed
    is_annotated = root.is_dir() and (
        (root / ACTIVITIES).is_file()
        or any(
            is_table(path) and path.stem.lower().endswith(ANNOTATIONS) for path in root.iterdir()
        )
    )
    if is_annotated:
        return _windows
    packed = root.suffix == ".npz" or (root.is_dir() and any(root.glob("*.npz")))
    return _packed if packed else _folders


def _chosen(clips: list[Clip], config: ClipsConfig) -> list[Clip]:
    """Those of the classes that are read, by their names."""
    named = [
        dataclasses.replace(clip, label=config.names.get(clip.label, clip.label)) for clip in clips
    ]
    return [clip for clip in named if not config.classes or clip.label in config.classes]


def _check_names(root: pathlib.Path, clips: Mapping[str, list[Clip]]) -> None:
    for split, many in clips.items():
        names = [clip.id for clip in many]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UserError(f"{root}: there are two clips {twice!r} in {split}.")


def _by_people(
    root: pathlib.Path, clips: Mapping[str, list[Clip]], config: ClipsConfig
) -> dict[str, list[Clip]]:
    everybody = [clip for many in clips.values() for clip in many]
    everyone = {clip.person for clip in everybody}
    of_person = {person: split for split, many in config.people.items() for person in many}
    strangers = sorted(set(of_person) - everyone)
    if strangers:
        raise UserError(
            f"{root}: data.people names {strangers[0]!r}; there are {sorted(everyone)}."
        )
    by_split: dict[str, list[Clip]] = {}
    for clip in everybody:
        split = of_person.get(clip.person, "train")
        by_split.setdefault(split, []).append(clip)
        if config.refit and split == "validation":
            by_split.setdefault("train", []).append(clip)
    return by_split


def _windows(root: pathlib.Path, config: ClipsConfig, _: Any) -> dict[str, list[Clip]]:
    """Windows of labelled intervals; none is half in another one."""
    by_split = {}
    for split, recordings in read_recordings(root, config).items():
        clips = []
        for recording in recordings:
            for event in recording.events or ():
                last = event.last + 1 - config.window
                for first in range(event.first, last + 1, config.step):
                    values = recording.values[first : first + config.window]
                    name = f"{recording.id} {first}"
                    clips.append(Clip(name, recording.person, event.label, values))
        by_split[split] = clips
    return by_split


def _inertial(root: pathlib.Path, config: ClipsConfig, _: Any) -> dict[str, list[Clip]]:
    """UCI-HAR: a text file for each channel, with a window in every line."""
    names = dict(line.split() for line in _lines(root / ACTIVITIES))
    by_split = {}
    for split in ("train", "test"):
        paths = sorted((root / split / INERTIAL).glob("*.txt"))
        if not paths:
            raise UserError(f"{root / split / INERTIAL} has no .txt files.")
        numbers = _lines(root / split / f"y_{split}.txt")
        people = _lines(root / split / f"subject_{split}.txt")
        try:
            channels = [np.loadtxt(path, dtype=np.float32, ndmin=2) for path in paths]
            values = np.stack(channels, axis=-1)
        except ValueError as error:
            raise UserError(f"{root / split / INERTIAL}: {error}.") from error
        if not len(values) == len(numbers) == len(people):
            raise UserError(
                f"{root / split}: {len(values)} windows, {len(numbers)} labels, {len(people)} "
                "subjects."
            )
        by_split[split] = [
            Clip(f"{split} {place}", person, names.get(number, number), rows)
            for place, (rows, number, person) in enumerate(
                zip(values, numbers, people, strict=True)
            )
        ]
    return by_split


def _lines(path: pathlib.Path) -> list[str]:
    if not path.is_file():
        raise UserError(f"There is no {path}.")
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _listed(
    root: pathlib.Path, config: ClipsConfig, read_video: ReadVideo | None
) -> dict[str, list[Clip]]:
    """UCF101's lists: each names videos of a split; features beside them are taken first."""
    by_split = {}
    for split, name in LISTS.items():
        clips = []
        for line in _lines(root / name) if (root / name).is_file() else ():
            place = pathlib.PurePosixPath(line.split()[0]).with_suffix("")
            names = [line.split()[0], *(f"{place}{suffix}" for suffix in ARRAYS)]
            path = next((file for name in names[::-1] if (file := root / name).is_file()), None)
            if path is None:
                raise UserError(f"{root / name}: there is no video {place}, nor features of it.")
            path = within(root, path)
            clips.append(clip_of_file(path, place.parts[0], config, read_video))
        if clips:
            by_split[split] = clips
    return by_split


def _folders(
    root: pathlib.Path, config: ClipsConfig, read_video: ReadVideo | None
) -> dict[str, list[Clip]]:
    """Folders of classes with a file for each clip."""
    return {
        split: [
            clip_of_file(path, label, config, read_video)
            for path, label in labels.class_folders(folder, (*ARRAYS, *VIDEOS))
        ]
        for split, folder in splits.path_splits(root).items()
    }


def _packed(root: pathlib.Path, config: ClipsConfig, _: Any) -> dict[str, list[Clip]]:
    """Clips of `.npz` files that hold many each."""
    places = {splits.WHOLE: root} if root.is_file() else splits.path_splits(root)
    by_split = {}
    for split, place in places.items():
        paths = [place] if place.is_file() else sorted(place.glob("*.npz"))
        by_split[split] = [clip for path in paths for clip in clips_of_file(path, config)]
    return by_split
