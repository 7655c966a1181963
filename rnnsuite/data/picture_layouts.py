"""Images with one class each, in the layouts that data sets have."""

import dataclasses
import pathlib
from collections.abc import Sequence

from rnnsuite.core.errors import UserError
from rnnsuite.data import labels, tables
from rnnsuite.data.image_lists import IMAGE_COLUMNS, image_path, read_json, usual_column
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.splits import path_splits, split_name

TABLES = ("labels.csv", "labels.tsv", "labels.parquet", "images.csv")
"""Names of a table of images in a folder."""
LISTS = ("captions.json", "dataset.json", "images.json", "labels.json")
"""Names of a list of images in a folder."""


@dataclasses.dataclass(frozen=True)
class LabelledImage:
    """An image file and its class."""

    path: pathlib.Path
    label: str


def read_pictures(
    root: pathlib.Path, config: TableConfig, label: str, suffixes: Sequence[str], skips: Skips
) -> dict[str, list[LabelledImage]]:
    """The images of every split.

    Args:
        root: folders of classes, perhaps within train, validation and test; a table, or a JSON list
            `images`, with an image's file, its class and perhaps its split; or a folder with one.
        config: how tables are written.
        label: the column, or the key, of the class.
        suffixes: endings of image files.
        skips: told of rows without image or class.

    Returns:
        Images by split; "all" where there are no splits.

    Raises:
        UserError: for none of the layouts, or a malformed file.
    """
    if not root.exists():
        raise UserError(f"There is no {root}.")
    places = [root] if root.is_file() else [root / name for name in (*TABLES, *LISTS)]
    described = next((place for place in places if place.is_file()), None)
    if described is None:
        return {
            split: [LabelledImage(*pair) for pair in labels.class_folders(folder, suffixes)]
            for split, folder in path_splits(root).items()
        }
    if described.suffix == ".json":
        return _listed(described, label, skips)
    if tables.is_table(described):
        return _tabled(described, config, label, skips)
    raise UserError(f"{root} is neither a folder, a table nor a JSON list of images.")


def _tabled(
    file: pathlib.Path, config: TableConfig, label: str, skips: Skips
) -> dict[str, list[LabelledImage]]:
    with open(file, "rb") as stream:
        header = tables.header(file, stream, config)
    image = usual_column(header, IMAGE_COLUMNS, file)
    by_split: dict[str, list[LabelledImage]] = {}
    for line, row in tables.table(file, config, {"data.label": label, "the image": image}, skips):
        if not row[image] or not str(row[label]).strip():
            skips(f"{file}, line {line}: no {'class' if row[image] else 'image'}.")
            continue
        entry = LabelledImage(image_path(file.parent, str(row[image])), str(row[label]).strip())
        by_split.setdefault(split_name(str(row.get("split") or "all")), []).append(entry)
    return by_split


def _listed(file: pathlib.Path, label: str, skips: Skips) -> dict[str, list[LabelledImage]]:
    content = read_json(file)
    entries = content.get("images") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{file} holds no list of images.")
    by_split: dict[str, list[LabelledImage]] = {}
    for number, entry in enumerate(entries):
        name = next((entry[key] for key in IMAGE_COLUMNS if entry.get(key)), None)
        value = entry.get(label)
        if name is None or value is None or not str(value).strip():
            skips(f"{file}: image {number} has no {'file' if name is None else label}.")
            continue
        image = LabelledImage(image_path(file.parent, str(name)), str(value).strip())
        by_split.setdefault(split_name(str(entry.get("split", "all"))), []).append(image)
    return by_split
