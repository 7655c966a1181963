"""Arrays that are costly to compute and depend on bytes alone, kept on disk."""

import hashlib
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from rnnsuite.files import whole_file


class Cached:
    """`cached(contents)` is `compute(contents)`, an array with a row for each of the bytes, but computed only once.

    Every row is a file in `folder`, named by a hash of its bytes, which appears whole or not at
    all; a damaged one is computed again. So an interrupted computation goes on where it was.
    Rows are kept in 16 bits. Raises OSError where the folder cannot be written.
    """

    def __init__(self, compute: Callable[[Sequence[bytes]], np.ndarray], folder: pathlib.Path):
        self.compute, self.folder = compute, folder

    def __call__(self, contents: Sequence[bytes]) -> np.ndarray:
        paths = [self.folder / f"{hashlib.sha256(content).hexdigest()}.npy" for content in contents]
        rows = [self._read(path) for path in paths]
        missing = [number for number, row in enumerate(rows) if row is None]
        if missing:
            found = np.asarray(self.compute([contents[number] for number in missing])).astype(np.float16)
            for number, row in zip(missing, found, strict=True):
                rows[number] = row
                with whole_file(paths[number]) as part:
                    np.save(part, row, allow_pickle=False)
        return np.stack(rows).astype(np.float32)

    @staticmethod
    def _read(path: pathlib.Path) -> np.ndarray | None:
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
