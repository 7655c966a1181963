"""Pictures and what is said about them, in the layouts that data sets have."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.errors import UserError
from rnnsuite.sources import ALIASES

FOLDERS = ("images", "Images", "Flicker8k_Dataset", "Flickr8k_Dataset", ".")
FLICKR = {"train": "trainImages", "validation": "devImages", "test": "testImages"}


@dataclasses.dataclass(frozen=True)
class Described:
    """An image file and what is said about it."""

    path: pathlib.Path
    captions: tuple[str, ...]


def described(root: pathlib.Path) -> dict[str, list[Described]]:
    """The images of every split, "all" where there are none, in whatever layout they are: a folder, or its one file.

    Raises UserError where there is no such path, none of the layouts, or a file that has not its form.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    folder = root if root.is_dir() else root.parent
    files = [root] if root.is_file() else sorted(folder.iterdir())
    names = {file.name: file for file in files}
    for name in ("captions.json", "dataset.json"):
        if name in names:
            return _karpathy(names[name])
    if (folder / "annotations").is_dir() and root.is_dir():
        return _coco(sorted((folder / "annotations").glob("captions_*.json")), folder)
    tokens = next((file for file in files if file.name.endswith(".token.txt") or file.name == "captions.txt"), None)
    if tokens:
        return _flickr(tokens)
    if root.suffix == ".json":
        content = _json(root)
        return _coco([root], folder) if "annotations" in content else _karpathy(root)
    raise UserError(
        f"{root} has none of captions.json, dataset.json, annotations/captions_*.json and *.token.txt with captions."
    )


def _json(file: pathlib.Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{file} is no JSON ({error}).") from error


def _karpathy(file: pathlib.Path) -> dict[str, list[Described]]:
    """images: a list of {filename, split, sentences: [{raw}]}; also file for filename and captions for sentences."""
    content, found = _json(file), {}
    entries = content.get("images") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise UserError(f"{file} holds no list of images.")
    for number, entry in enumerate(entries):
        try:
            name = entry.get("filename") or entry["file"]
            said = entry.get("captions", entry.get("sentences", ()))
            captions = tuple(each["raw"] if isinstance(each, dict) else str(each) for each in said)
        except (AttributeError, KeyError, TypeError) as error:
            raise UserError(f"{file}: image {number} has no filename, or captions of another form.") from error
        split = str(entry.get("split", "all"))
        path = _image(file.parent, pathlib.PurePath(entry.get("filepath", "")) / name)
        found.setdefault(_split(split), []).append(Described(path, captions))
    return found


def _split(name: str) -> str:
    """A split by its usual name; Karpathy's restval is part of train."""
    if name == "restval":
        return "train"
    stem = name.rstrip("0123456789")  # train2017
    return next((split for split, names in ALIASES.items() if stem in names), name)


def _image(folder: pathlib.Path, name: pathlib.PurePath | str) -> pathlib.Path:
    """The file of an image in one of the usual folders; in the first of them that there is, where it is missing."""
    there = [folder / each for each in FOLDERS if (folder / each).is_dir()]
    return next((each / name for each in there if (each / name).is_file()), there[0] / name)


def _coco(files: Sequence[pathlib.Path], root: pathlib.Path) -> dict[str, list[Described]]:
    """COCO's own: images [{id, file_name}] and annotations [{image_id, caption}]; a split is a file."""
    if not files:
        raise UserError(f"{root}/annotations has no captions_*.json.")
    found = {}
    for file in files:
        content, name = _json(file), file.stem.removeprefix("captions_")
        folder = next((each / name for each in (file.parent.parent, file.parent) if (each / name).is_dir()), None)
        captions: dict[Any, list[str]] = {}
        try:
            for each in content["annotations"]:
                captions.setdefault(each["image_id"], []).append(str(each["caption"]))
            entries = [(each["id"], each["file_name"]) for each in content["images"]]
        except (KeyError, TypeError) as error:
            raise UserError(f"{file} has not the form of COCO's captions ({error}).") from error
        numbers = {number for number, _ in entries}
        lost = [number for number in captions if number not in numbers]
        if lost:
            raise UserError(f"{file}: captions of image {lost[0]}, which is not in its list of images.")
        found[_split(name) if len(files) > 1 else "all"] = [
            Described(folder / entry if folder else _image(file.parent, entry), tuple(captions.get(number, ())))
            for number, entry in entries
        ]
    return found


def _flickr(file: pathlib.Path) -> dict[str, list[Described]]:
    """Lines of name#number, tab, caption; splits by lists of names, Flickr_8k.trainImages.txt and so on."""
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        name, tab, caption = line.partition("\t")
        if not line.strip():
            continue
        if not tab:
            raise UserError(f"{file}, line {number}: no tab between the image's name and its caption.")
        captions.setdefault(name.partition("#")[0], []).append(caption)
    lists = {split: next(file.parent.glob(f"*{ending}.txt"), None) for split, ending in FLICKR.items()}
    chosen = {split: path.read_text(encoding="utf-8").split() for split, path in lists.items() if path}
    return {
        split: [Described(_image(file.parent, name), tuple(captions.get(name, ()))) for name in names]
        for split, names in (chosen or {"all": list(captions)}).items()
    }
