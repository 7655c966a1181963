"""Data frames as a source of records."""

import hashlib
import pathlib
from typing import Any

from rnnsuite.core.cache import cache_folder
from rnnsuite.core.files import atomic_file


def save_frame(frame: Any, folder: str | pathlib.Path | None = None) -> str:
    """Saves a pandas frame, or a pyarrow table, where `data.source` finds it.

    Args:
        frame: with a column for each value of a record.
        folder: where the Parquet file goes; the cache by default. Its name is a hash of the
            content, so an equal frame is the same source.

    Returns:
        The file's path.
    """
    import pyarrow
    from pyarrow import parquet

    is_table = isinstance(frame, pyarrow.Table)
    table = frame if is_table else pyarrow.Table.from_pandas(frame, preserve_index=False)
    stream = pyarrow.BufferOutputStream()
    parquet.write_table(table, stream)
    content = stream.getvalue().to_pybytes()
    place = pathlib.Path(folder) if folder else cache_folder() / "frames"
    path = place / f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    if not path.is_file():
        with atomic_file(path) as part:
            part.write_bytes(content)
    return str(path.absolute())
