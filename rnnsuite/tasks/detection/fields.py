"""What requests for detection hold."""

import dataclasses
import pathlib

import numpy as np

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Array
from rnnsuite.data import tables
from rnnsuite.data.arrays import loaded
from rnnsuite.data.channels import ChannelsConfig, read_table


@dataclasses.dataclass(frozen=True)
class SeriesField(Array):
    """A series `[time, channels]`, which a person may also name by a table's or a .npy file's path.

    In a shell, one channel can be written as numbers between commas.
    """

    def parse(self, text: str) -> np.ndarray:
        path = pathlib.Path(text.strip()).expanduser()
        is_array = path.suffix.lower() == ".npy"
        if is_array or tables.is_table(path):
            if not path.is_file():
                raise UserError(f"There is no {'file' if is_array else 'table'} {path}.")
            if is_array:
                (values,) = loaded(path).values()
                return self.accept(values[:, None] if values.ndim == 1 else values)
            return read_table(path, ChannelsConfig()).values
        text = text.strip()
        if not text.startswith("["):
            text = "[" + ",".join(f"[{cell.strip() or 'null'}]" for cell in text.split(",")) + "]"
        return super().parse(text)
