"""Images with captions, in the layouts that data sets have."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.core.errors import UserError
from rnnsuite.data import tables
from rnnsuite.data.image_lists import IMAGE_COLUMNS, image_path, read_json, usual_column
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.splits import split_name
from rnnsuite.data.within import within

CAPTION_COLUMNS = ("caption", "captions", "text", "sentence", "comment")
FLICKR = {"train": "trainImages", "validation": "devImages", "test": "testImages"}


@dataclasses.dataclass(frozen=True)
class CaptionedImage:
    """An image file and its captions."""

    path: pathlib.Path
    captions: tuple[str, ...]


def read_captions(
    root: pathlib.Path, config: TableConfig, skips: Skips
) -> dict[str, list[CaptionedImage]]:
    """The images with captions of every split.

    Args:
        root: a folder in one of the layouts, or the one file that describes it.
        config: how tables are written.
        skips: told of bad rows.

    Returns:
        Images by split; "all" where there are no splits.

    Raises:
        UserError: for no such path, none of the layouts, or a malformed file.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    folder = root if root.is_dir() else root.parent
    files = [root] if root.is_file() else sorted(folder.iterdir())
    names = {file.name: file for file in files}
    for name in ("captions.json", "dataset.json"):
        if name in names:
            return _described(names[name])
    if root.is_file() and tables.is_table(root):
        return _table(root, config, skips)
    if "captions.csv" in names:
        return _table(names["captions.csv"], config, skips)
    if (folder / "annotations").is_dir() and root.is_dir():
        return _coco(sorted((folder / "annotations").glob("captions_*.json")), folder)
    tokens = next(
        (file for file in files if file.name.endswith(".token.txt") or file.name == "captions.txt"),
        None,
    )
    if tokens:
        first = tokens.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        return _flickr(tokens) if "\t" in first else _table(tokens, config, skips)
    if root.suffix == ".json":
        return _described(root)
    raise UserError(
        f"{root} has none of captions.json, captions.csv, dataset.json, "
        f"annotations/captions_*.json and *.token.txt with captions."
    )


def _described(file: pathlib.Path) -> dict[str, list[CaptionedImage]]:
    """A JSON file of any of the layouts, told apart by what is in it."""
    content = read_json(file)
    if isinstance(content, dict) and "annotations" in content:
        return _coco([file], file.parent)
    if isinstance(content, dict) and content and "images" not in content:
        return _mapping(file, content)
    return _karpathy(file)


def _mapping(file: pathlib.Path, content: dict[str, Any]) -> dict[str, list[CaptionedImage]]:
    """{"a.jpg": ["a caption", ...]}, or one caption as a text."""
    images = []
    for name, captions in content.items():
        texts = [captions] if isinstance(captions, str) else captions
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"{file}: the captions of {name} must be a list of texts.")
        images.append(CaptionedImage(image_path(file.parent, name), tuple(texts)))
    return {"all": images}


def _table(
    file: pathlib.Path, config: TableConfig, skips: Skips
) -> dict[str, list[CaptionedImage]]:
    """A row for each caption, with the image's name; and a split, where there is such a column."""
    with open(file, "rb") as stream:
        header = tables.header(file, stream, config)
    image = usual_column(header, IMAGE_COLUMNS, file)
    caption = usual_column(header, CAPTION_COLUMNS, file)
    keys = {"the image": image, "the caption": caption}
    by_split: dict[str, dict[str, list[str]]] = {}
    for line, row in tables.table(file, config, keys, skips):
        if not row[image] or not row[caption]:
            skips(f"{file}, line {line}: no {'caption' if row[image] else 'image'}.")
            continue
        images = by_split.setdefault(split_name(str(row.get("split") or "all")), {})
        images.setdefault(str(row[image]).partition("#")[0], []).append(str(row[caption]))
    return {
        split: [
            CaptionedImage(image_path(file.parent, name), tuple(texts))
            for name, texts in images.items()
        ]
        for split, images in by_split.items()
    }


def _karpathy(file: pathlib.Path) -> dict[str, list[CaptionedImage]]:
    """images: a list of {filename, split, sentences: [{raw}]}; also file for filename and captions
    for sentences.
    """
    content = read_json(file)
    by_split = {}
    entries = content.get("images") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise UserError(f"{file} holds no list of images.")
    for number, entry in enumerate(entries):
        try:
            name = entry.get("filename") or entry["file"]
            sentences = entry.get("captions", entry.get("sentences", ()))
            captions = tuple(
                sentence["raw"] if isinstance(sentence, dict) else str(sentence)
                for sentence in sentences
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise UserError(
                f"{file}: image {number} has no filename, or captions of another form."
            ) from error
        split = str(entry.get("split", "all"))
        path = image_path(file.parent, pathlib.PurePath(entry.get("filepath", "")) / name)
        by_split.setdefault(split_name(split), []).append(CaptionedImage(path, captions))
    return by_split


def _coco(files: Sequence[pathlib.Path], root: pathlib.Path) -> dict[str, list[CaptionedImage]]:
    """COCO's own: images [{id, file_name}] and annotations [{image_id, caption}]; a split is a
    file.
    """
    if not files:
        raise UserError(f"{root}/annotations has no captions_*.json.")
    by_split = {}
    for file in files:
        content = read_json(file)
        name = file.stem.removeprefix("captions_")
        folder = next(
            (
                entry / name
                for entry in (file.parent.parent, file.parent)
                if (entry / name).is_dir()
            ),
            None,
        )
        captions: dict[Any, list[str]] = {}
        try:
            for entry in content["annotations"]:
                captions.setdefault(entry["image_id"], []).append(str(entry["caption"]))
            entries = [(entry["id"], entry["file_name"]) for entry in content["images"]]
        except (KeyError, TypeError) as error:
            raise UserError(f"{file} has not the form of COCO's captions ({error}).") from error
        numbers = {number for number, _ in entries}
        lost = [number for number in captions if number not in numbers]
        if lost:
            raise UserError(
                f"{file}: captions of image {lost[0]}, which is not in its list of images."
            )
        by_split[split_name(name) if len(files) > 1 else "all"] = [
            CaptionedImage(
                within(folder, folder / entry) if folder else image_path(file.parent, entry),
                tuple(captions.get(number, ())),
            )
            for number, entry in entries
        ]
    return by_split


def _flickr(file: pathlib.Path) -> dict[str, list[CaptionedImage]]:
    """Lines of name#number, tab, caption; splits by lists of names, Flickr_8k.trainImages.txt and
    so on.
    """
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(
        file.read_text(encoding="utf-8", errors="replace").splitlines(), 1
    ):
        name, tab, caption = line.partition("\t")
        if not line.strip():
            continue
        if not tab:
            raise UserError(
                f"{file}, line {number}: no tab between the image's name and its caption."
            )
        captions.setdefault(name.partition("#")[0], []).append(caption)
    lists = {
        split: next(file.parent.glob(f"*{ending}.txt"), None) for split, ending in FLICKR.items()
    }
    chosen = {
        split: path.read_text(encoding="utf-8").split() for split, path in lists.items() if path
    }
    return {
        split: [
            CaptionedImage(image_path(file.parent, name), tuple(captions.get(name, ())))
            for name in names
        ]
        for split, names in (chosen or {"all": list(captions)}).items()
    }
