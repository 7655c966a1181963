"""Arrays in .npy and .npz files, without pickles."""

import pathlib
import zipfile

import numpy as np

from rnnsuite.core.errors import UserError


def loaded(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name; of a .npy file its one, without a name.

    Raises:
        UserError: for a file that cannot be read, or holds objects.
    """
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"": content}
        with content:
            return {key: content[key] for key in content.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as numbers ({error}).") from error


def numbers(path: pathlib.Path, values: np.ndarray) -> np.ndarray:
    """Numbers `[time, channels]` as float32. Raises UserError for anything else."""
    if values.ndim != 2 or values.dtype.kind not in "iufb" or not values.size:
        raise UserError(
            f"{path}: numbers [time, channels] are expected, not {values.dtype} {values.shape}."
        )
    return values.astype(np.float32)
