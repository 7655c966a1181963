"""Array files of one clip, and of many."""

import pathlib
import re
from collections.abc import Callable, Mapping

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.data.arrays import loaded
from rnnsuite.data.clips import Clip, ClipsConfig

ARRAYS = (".npy", ".npz", ".h5", ".hdf5")
"""Files of one clip each."""
VIDEOS = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".gif")
"""Endings of videos."""
ReadVideo = Callable[[pathlib.Path], np.ndarray]
"""Gives the features `[frames, features]` of a video's file."""
GROUP = re.compile(r"_g(\d+)_c\d+$")
"""The end of the name of a clip of UCF101: clips of a group are of the same place and people."""


def clip_of_file(
    path: pathlib.Path, label: str, config: ClipsConfig, read_video: ReadVideo | None = None
) -> Clip:
    """The clip of a file of its own, which may be a video. Raises UserError."""
    group = GROUP.search(path.stem)
    person = f"{label} {group[1]}" if group else path.stem
    if path.suffix.lower() in VIDEOS:
        if read_video is None:
            raise UserError(f"{path}: videos are not read here.")
        values = read_video(path)
    else:
        values = read_frames(path, config.coordinates)
    return Clip(f"{label}/{path.stem}", person, label, values)


def read_frames(path: pathlib.Path, coordinates: int = 0) -> np.ndarray:
    """The frames of a file that holds one clip; see `checked`. Raises UserError."""
    content = loaded(path)
    if len(content) != 1:
        raise UserError(f"{path} holds {len(content)} arrays, and one clip is one.")
    (values,) = content.values()
    return checked(path, path.stem, values, coordinates)


def clips_of_file(path: pathlib.Path, config: ClipsConfig) -> list[Clip]:
    """The clips of a file of many.

    Args:
        path: of a `.npz` file with `joints` or `features`, classes, and perhaps people and lengths.
        config: the names of these arrays, and which clips are read.

    Raises:
        UserError: for what cannot be read, and arrays that do not fit together.
    """
    content = loaded(path)
    values = _sequences(path, content)
    count = len(values)
    names = _column(path, content, config.label, count)
    if names is None:
        raise UserError(
            f"{path} has no array {config.label!r} (data.label); it has {', '.join(content)}."
        )
    if "class_names" in content and names.dtype.kind in "iu":
        names = _named(path, names, content["class_names"])
    people = _column(path, content, config.person, count)
    ids = _column(path, content, config.record, count)
    is_read = _column(path, content, config.select, count) if config.select else None
    if config.select and is_read is None:
        raise UserError(f"{path} has no array {config.select!r} (data.select).")
    clips = []
    for place, numbers in enumerate(values):
        if is_read is not None and not is_read[place]:
            continue
        name = f"{path.stem} {place}" if ids is None else str(ids[place])
        person = name if people is None else str(people[place])
        clips.append(
            Clip(name, person, str(names[place]), checked(path, name, numbers, config.coordinates))
        )
    return clips


def _named(path: pathlib.Path, numbers: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Class names by their numbers, from 1 on where the last is as large as their count."""
    first = int(numbers.max() == len(names))
    if names.ndim != 1 or numbers.min() < first or numbers.max() - first >= len(names):
        raise UserError(
            f"{path}: labels from {numbers.min()} to {numbers.max()}, and class_names "
            f"{list(names.shape)}."
        )
    return names[numbers - first]


def _sequences(path: pathlib.Path, content: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Every clip's frames: rows of one array, or cut from one that holds them end to end."""
    name = next((name for name in ("joints", "features") if name in content), None)
    if name is None:
        raise UserError(f"{path} has neither joints nor features; it has {', '.join(content)}.")
    values = content[name]
    rank = 3 if name == "joints" else 2
    if values.dtype.kind not in "iuf" or values.ndim not in (rank, rank + 1):
        raise UserError(f"{path}: {name} is {values.dtype} {list(values.shape)}.")
    lengths = content.get("length")
    if lengths is not None and (lengths.dtype.kind not in "iu" or lengths.ndim != 1):
        raise UserError(f"{path}: length is {lengths.dtype} {list(lengths.shape)}.")
    if values.ndim == rank:
        if lengths is None or lengths.sum() != len(values) or (lengths < 0).any():
            raise UserError(f"{path}: {name} holds {len(values)} frames, and length says another.")
        return np.split(values, np.cumsum(lengths)[:-1])
    if lengths is None:
        return list(values)
    if len(lengths) != len(values) or (lengths > values.shape[1]).any() or (lengths < 0).any():
        raise UserError(f"{path}: length does not fit {name} {list(values.shape)}.")
    return [row[:length] for row, length in zip(values, lengths, strict=True)]


def _column(
    path: pathlib.Path, content: Mapping[str, np.ndarray], name: str, count: int
) -> np.ndarray | None:
    column = content.get(name)
    if column is not None and column.shape != (count,):
        raise UserError(f"{path}: {name} is {list(column.shape)}, and there are {count} clips.")
    return column


def checked(path: pathlib.Path, name: str, values: np.ndarray, coordinates: int = 0) -> np.ndarray:
    """The frames of a clip as float32, joints of zeros as missing.

    Args:
        path, name: of the clip, for errors.
        values: `[frames, features]` or `[frames, joints, coordinates]`.
        coordinates: of a joint that are kept, the first ones; 0 for all.

    Raises:
        UserError: for other shapes and types, infinite numbers, and nothing but missing ones.
    """
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf" or not values.size:
        raise UserError(
            f"{path}: clip {name} is {values.dtype} {list(values.shape)}; numbers "
            "[frames, features] or [frames, joints, coordinates] are expected."
        )
    if values.ndim == 3 and coordinates:
        values = values[..., :coordinates]
    values = values.astype(np.float32)
    if values.ndim == 3:  # a joint that is not seen is written as zeros
        values = np.where((values == 0).all(axis=-1, keepdims=True), np.float32(np.nan), values)
    if np.isinf(values).any():
        raise UserError(f"{path}: clip {name} holds infinite numbers.")
    if not np.isfinite(values).any():
        raise UserError(f"{path}: clip {name} has nothing but missing numbers.")
    return values
