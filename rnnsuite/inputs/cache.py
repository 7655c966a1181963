"""Arrays that are costly to compute and depend on bytes alone, kept on disk."""

import hashlib
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from rnnsuite.core.files import atomic_file


class Cached:
    """Disk cache of `compute`, keyed by the SHA-256 of each input.

    Every row is a file, which appears whole or not at all; a damaged one is computed again. So an
    interrupted computation goes on where it was. Rows are kept in 16 bits.

    Args:
        compute: gives an array with a row for each of the contents.
        folder: where the files go.

    Raises:
        OSError: where the folder cannot be written.
    """

    def __init__(self, compute: Callable[[Sequence[bytes]], np.ndarray], folder: pathlib.Path):
        self.compute = compute
        self.folder = folder

    def __call__(self, contents: Sequence[bytes]) -> np.ndarray:
        paths = [self.folder / f"{hashlib.sha256(content).hexdigest()}.npy" for content in contents]
        rows = [self._read(path) for path in paths]
        missing = [number for number, row in enumerate(rows) if row is None]
        if missing:
            computed = np.asarray(self.compute([contents[number] for number in missing])).astype(
                np.float16
            )
            for number, row in zip(missing, computed, strict=True):
                rows[number] = row
                with atomic_file(paths[number]) as part:
                    np.save(part, row, allow_pickle=False)
        return np.stack(rows).astype(np.float32)

    @staticmethod
    def _read(path: pathlib.Path) -> np.ndarray | None:
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
