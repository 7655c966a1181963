"""Files that a list names: none outside of the list's own folder, unless it is allowed."""

import os
import pathlib

from rnnsuite.core.errors import UserError

OUTSIDE = "RNNSUITE_OUTSIDE"
"""Environment variable: 1 where lists may name files anywhere, such as manifests of one's own."""


def within(folder: pathlib.Path, path: pathlib.Path) -> pathlib.Path:
    """A file that a list in a folder names.

    Who writes a list of files is not always who trains on it: `../`, absolute paths and links would
    bring other files of this machine into a model.

    Args:
        folder: that holds the list and the files.
        path: of the file.

    Returns:
        The path.

    Raises:
        UserError: where it leads out of the folder.
    """
    if os.environ.get(OUTSIDE) == "1" or path.resolve().is_relative_to(folder.resolve()):
        return path
    raise UserError(
        f"A list in {folder} names {path}, which lies outside of that folder. Where that is meant, "
        f"set {OUTSIDE}=1."
    )
