"""What layouts of images have in common: where files lie, how columns are called, JSON."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.core.errors import UserError
from rnnsuite.data.within import within

FOLDERS = ("images", "Images", "Flicker8k_Dataset", "Flickr8k_Dataset", ".")
IMAGE_COLUMNS = ("image", "file", "filename", "file_name", "image_name", "path")


def image_path(folder: pathlib.Path, name: pathlib.PurePath | str) -> pathlib.Path:
    """Path of an image in the first usual folder that has it. Raises UserError: see `within`."""
    folders = [folder / usual for usual in FOLDERS if (folder / usual).is_dir()]
    paths = [path / name for path in folders]
    return within(folder, next((path for path in paths if path.is_file()), paths[0]))


def usual_column(header: Sequence[str], usual: Sequence[str], file: pathlib.Path) -> str:
    """The column of one of the usual names. Raises UserError."""
    names = {name.strip().casefold(): name for name in header}
    column = next((names[name] for name in usual if name in names), None)
    if column is None:
        raise UserError(
            f"{file} has no column called {' or '.join(usual[:2])}; it has {', '.join(header)}. "
            f"Name them with data.columns where there is no header line."
        )
    return column


def read_json(file: pathlib.Path) -> Any:
    """The content of a JSON file. Raises UserError."""
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise UserError(f"{file} is no JSON ({error}).") from error
