"""What requests hold: a clip as numbers, or the file that holds them."""

import dataclasses
import pathlib

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Array
from rnnsuite.data import tables
from rnnsuite.data.channels import ChannelsConfig, read_table
from rnnsuite.data.clip_arrays import ARRAYS, read_frames


@dataclasses.dataclass(frozen=True)
class ClipField(Array):
    """Frames `[frames, numbers]`, which a person may also name by a file."""

    def parse(self, text: str) -> np.ndarray:
        path = pathlib.Path(text.strip()).expanduser()
        is_file = path.suffix.lower() in ARRAYS or tables.is_table(path)
        return read_clip(path) if is_file else super().parse(text)


def read_clip(path: pathlib.Path) -> np.ndarray:
    """The frames of a clip's file `[frames, numbers]`, a skeleton's joint by joint.

    Raises:
        UserError: for what cannot be read.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    if tables.is_table(path):
        return read_table(path, ChannelsConfig()).values
    values = read_frames(path)
    return values.reshape(len(values), -1)
