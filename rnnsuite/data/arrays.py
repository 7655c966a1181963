"""Arrays in .npy, .npz and HDF5 files, without pickles."""

import pathlib
import zipfile

import h5py
import numpy as np

from rnnsuite.core.errors import UserError

HDF5 = (".h5", ".hdf5")
"""Endings of HDF5 files."""


def loaded(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz or HDF5 file by name; of a .npy file its one, without a name.

    Raises:
        UserError: for a file that cannot be read, or holds objects.
    """
    try:
        if path.suffix.lower() in HDF5:
            with h5py.File(path, "r") as stream:
                return {key: value[()] for key, value in _arrays(stream).items()}
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"": content}
        with content:
            return {key: content[key] for key in content.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as numbers ({error}).") from error


def _arrays(group: h5py.Group) -> dict[str, h5py.Dataset]:
    """Those of a file itself, not of its groups."""
    return {key: value for key, value in group.items() if isinstance(value, h5py.Dataset)}


def numbers(path: pathlib.Path, values: np.ndarray) -> np.ndarray:
    """Numbers `[time, channels]` as float32. Raises UserError for anything else."""
    if values.ndim != 2 or values.dtype.kind not in "iufb" or not values.size:
        raise UserError(
            f"{path}: numbers [time, channels] are expected, not {values.dtype} {values.shape}."
        )
    return values.astype(np.float32)
