"""A trained model as something that another training begins with."""

import pathlib

from rnnsuite.app import Start
from rnnsuite.pipeline.inference.saved_model import exported_start, is_saved_model
from rnnsuite.pipeline.run import open_start


def open_origin(path: str) -> Start:
    """A run or an export of any application. Raises UserError where there is none."""
    folder = pathlib.Path(path).expanduser()
    return exported_start(folder) if is_saved_model(folder) else open_start(folder)
