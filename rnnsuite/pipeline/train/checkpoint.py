"""Training state on disk: one file of arrays a checkpoint, written whole, verified when read.

A checkpoint is a NumPy .npz without pickles. Every array in it carries a CRC-32, so a
damaged file is noticed and the one before it is used.
"""

import json
import logging
import pathlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.files import PART, as_user_error, atomic_file

KEPT = 2
DAMAGES = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,  # for an array that says that it is larger than any file
    NotImplementedError,  # for a way to compress that there is not
    zlib.error,
    zipfile.BadZipFile,
)
"""What a file that is no whole checkpoint raises."""
log = logging.getLogger(__name__)


def save(folder: pathlib.Path, step: int, arrays: Sequence[np.ndarray], progress: Mapping) -> None:
    """Writes checkpoint number `step`, or the one after the newest, and removes all but two."""
    newest = max((int(path.stem) for path in _stored(folder)), default=-1)
    # An epoch of drawn windows may have more steps than another one.
    step = max(step, newest + 1)
    with as_user_error(folder), atomic_file(folder / f"{step:09d}.npz") as part:
        named: dict[str, Any] = {
            f"a{number:04d}": _storable(array) for number, array in enumerate(arrays)
        }
        np.savez(
            part, progress=np.frombuffer(json.dumps(dict(progress)).encode(), np.uint8), **named
        )
    for old in [
        *_stored(folder)[:-KEPT],
        *folder.glob(f"{PART}*"),
    ]:  # parts are what a kill left behind
        old.unlink()


def load(folder: pathlib.Path) -> tuple[list[np.ndarray], dict] | None:
    """Arrays and progress of the newest checkpoint that is whole; None where there is none."""
    for path in reversed(_stored(folder)):
        try:
            with np.load(path, allow_pickle=False) as stored:
                names = sorted(name for name in stored.files if name != "progress")
                return [stored[name] for name in names], json.loads(stored["progress"].tobytes())
        except DAMAGES as error:
            log.warning("%s is damaged (%s); using the checkpoint before it.", path, error)
    return None


def _stored(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("[0-9]*.npz"))


def _storable(array: np.ndarray) -> np.ndarray:
    """bfloat16 has no NumPy type of its own; float32 holds it exactly."""
    return (
        array.astype(np.float32)
        if array.dtype.kind == "V" or array.dtype.name == "bfloat16"
        else array
    )
