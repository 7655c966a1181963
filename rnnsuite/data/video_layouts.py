"""Videos with captions, as features of their frames, in the layouts that data sets have."""

import dataclasses
import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.progress import bar
from rnnsuite.data import tables
from rnnsuite.data.arrays import HDF5, loaded
from rnnsuite.data.clip_arrays import VIDEOS, ReadVideo
from rnnsuite.data.image_lists import read_json, usual_column
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.splits import WHOLE, split_name

VIDEO_COLUMNS = ("video", "video_id", "videoid", "id", "file", "filename")
CAPTION_COLUMNS = ("caption", "description", "captions", "text", "sentence")
ENGLISH = "english"
"""The language that is read of a table with a column for it, such as MSVD's."""
ARRAYS = (".npy", ".npz", *HDF5)


@dataclasses.dataclass(frozen=True)
class CaptionedVideo:
    """A video's frames and captions.

    Args:
        id: its name.
        features: float32 `[frames, features]`.
        captions: what people say of it.
    """

    id: str
    features: np.ndarray
    captions: tuple[str, ...]


def read_videos(
    root: pathlib.Path, config: TableConfig, skips: Skips, read_video: ReadVideo | None = None
) -> dict[str, list[CaptionedVideo]]:
    """The videos with captions of every split.

    Args:
        root: a folder with captions and features. Captions: `captions_<split>.json`, captions by
            video; a JSON file with `videos` and `sentences` (MSR-VTT); or a table with a row for
            each caption (MSVD's, or your own). Features: a file for each video, which may be the
            video itself, or `.npz` and HDF5 files of many: `features` `[videos, frames, features]`
            and `video`, or an array for each name.
        config: how tables are written.
        skips: told of videos without captions or features.
        read_video: gives the features of a video's file.

    Returns:
        Videos by split; "all" where there are no splits.

    Raises:
        UserError: for no such folder, none of the layouts, captions of videos that there are not,
            and features of different widths.
    """
    if not root.is_dir():
        raise UserError(f"There is no folder {root}.")
    captions = _captions(root, config, skips)
    names = {name for by_video in captions.values() for name in by_video}
    features = _features(root)
    if not features:
        features = _videos(root, names, read_video)
    lost = sorted(names - features.keys())
    if len(lost) == len(names):
        raise UserError(
            f"{root} has features of none of the {len(names)} captioned videos, such as {lost[0]}; "
            f"it has those of {', '.join(sorted(features)[:3]) or 'no video'}."
        )
    for name in lost:
        skips(f"{root}: captions of video {name!r}, of which there are no features.")
    by_split = {}
    for split, by_video in captions.items():
        videos = []
        for name, texts in by_video.items():
            written = tuple(text for text in texts if text.strip())
            if not written:
                skips(f"{root}: video {name!r} has no captions.")
            elif name in features:
                videos.append(CaptionedVideo(name, features[name], written))
        if videos:
            by_split[split] = videos
    return by_split


def _captions(
    root: pathlib.Path, config: TableConfig, skips: Skips
) -> dict[str, dict[str, list[str]]]:
    """Captions by video, by split."""
    by_split: dict[str, dict[str, list[str]]] = {}
    files = sorted(root.glob("*.json"))
    for file in files:
        content = read_json(file)
        parts = _msr_vtt(file, content) if _is_msr_vtt(content) else _by_video(file, content)
        for split, by_video in parts.items():
            into = by_split.setdefault(split, {})
            twice = sorted(into.keys() & by_video.keys())
            if twice:
                raise UserError(f"{file}: video {twice[0]!r} has captions in another file, too.")
            into.update(by_video)
    for file in () if by_split else sorted(root.iterdir()):
        if tables.is_table(file):
            return _table(file, config, skips)
    if not by_split:
        raise UserError(
            f"{root} has neither captions_*.json, nor a JSON file with videos and sentences, nor a "
            "table of captions."
        )
    return by_split


def _is_msr_vtt(content: Any) -> bool:
    return isinstance(content, Mapping) and {"videos", "sentences"} <= content.keys()


def _msr_vtt(file: pathlib.Path, content: Mapping) -> dict[str, dict[str, list[str]]]:
    try:
        split_of = {
            str(video["video_id"]): split_name(str(video.get("split", WHOLE)))
            for video in content["videos"]
        }
        by_split: dict[str, dict[str, list[str]]] = {}
        for sentence in content["sentences"]:
            name = str(sentence["video_id"])
            by_video = by_split.setdefault(split_of[name], {})
            by_video.setdefault(name, []).append(str(sentence["caption"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} has not the form of MSR-VTT's captions ({error}).") from error
    return by_split


def _by_video(file: pathlib.Path, content: Any) -> dict[str, dict[str, list[str]]]:
    """{"a.avi": ["a caption", ...]}, or {"a.avi": {"captions": [...], "split": "train"}}."""
    if not isinstance(content, Mapping):
        raise UserError(f"{file} holds no captions by video.")
    _, _, ending = file.stem.partition("_")
    by_split: dict[str, dict[str, list[str]]] = {}
    for name, entry in content.items():
        described = entry if isinstance(entry, Mapping) else {"captions": entry}
        texts = described.get("captions")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"{file}: the captions of {name} must be a list of texts.")
        split = split_name(str(described.get("split", ending or WHOLE)))
        by_split.setdefault(split, {})[name] = texts
    return by_split


def _table(
    file: pathlib.Path, config: TableConfig, skips: Skips
) -> dict[str, dict[str, list[str]]]:
    with open(file, "rb") as stream:
        header = tables.header(file, stream, config)
    video = usual_column(header, VIDEO_COLUMNS, file)
    caption = usual_column(header, CAPTION_COLUMNS, file)
    parts = [name for name in ("Start", "End") if name in header]
    by_split: dict[str, dict[str, list[str]]] = {}
    for line, row in tables.table(file, config, {"video": video, "caption": caption}, skips):
        if str(row.get("Language") or ENGLISH).strip().lower() != ENGLISH:
            continue
        if not row[video] or not row[caption]:
            skips(f"{file}, line {line}: no {'caption' if row[video] else 'video'}.")
            continue
        name = "_".join(str(row[key]).strip() for key in (video, *parts))
        by_video = by_split.setdefault(split_name(str(row.get("split") or WHOLE)), {})
        by_video.setdefault(name, []).append(str(row[caption]))
    return by_split


def _features(root: pathlib.Path) -> dict[str, np.ndarray]:
    """Every video's frames."""
    frames: dict[str, np.ndarray] = {}
    width = 0
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in ARRAYS or not path.is_file():
            continue
        for name, values in _named(path).items():
            if name in frames:
                raise UserError(f"{path}: there are other features of video {name!r}.")
            if values.ndim != 2 or values.dtype.kind not in "iuf" or not values.size:
                raise UserError(
                    f"{path}: features of {name} are {values.dtype} {list(values.shape)}; numbers "
                    "[frames, features] are expected."
                )
            width = width or values.shape[1]
            if values.shape[1] != width:
                raise UserError(
                    f"{path}: a frame of {name} has {values.shape[1]} features, and of others "
                    f"{width}."
                )
            frames[name] = values.astype(np.float32)
            if not np.isfinite(frames[name]).all():
                raise UserError(f"{path}: features of {name} are not all finite.")
    return frames


def _videos(
    root: pathlib.Path, names: Collection[str], read_video: ReadVideo | None
) -> dict[str, np.ndarray]:
    """The frames of captioned videos that lie in files, named with their ending or without."""
    places: dict[str, pathlib.Path] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in VIDEOS or not path.is_file():
            continue
        name = path.name if path.name in names else path.stem
        if name in places:
            raise UserError(f"{path}: there is another file of video {name!r}.")
        if name in names:
            places[name] = path
    if places and read_video is None:
        raise UserError(f"{root}: videos are not read here.")
    shown = bar(places.items(), desc="videos", unit="video", disable=len(places) < 20)
    return {name: read_video(path) for name, path in shown} if read_video else {}


def _named(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The arrays of a file by the videos whose they are."""
    content = loaded(path)
    if "features" in content and "video" in content:
        return _packed(path, content)
    if len(content) == 1 and path.suffix.lower() not in HDF5:
        return {path.stem: next(iter(content.values()))}
    return content


def _packed(path: pathlib.Path, content: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    features = content["features"]
    names: Sequence = content["video"].tolist()
    if features.ndim != 3 or len(names) != len(features):
        raise UserError(
            f"{path}: features {list(features.shape)} and {len(names)} videos do not fit."
        )
    names = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: there are two videos {twice!r}.")
    if features.dtype.kind == "u" and "dim_max" in content:
        # Square roots in 8 bits of values that are at least 0, by each column's largest.
        features = np.square(features / np.float32(255)) * content["dim_max"]
    return dict(zip(names, features, strict=True))
