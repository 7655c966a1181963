"""The sections of a configuration. What stands here is checked before anything else begins."""

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.data.source_config import SourceConfig


@section
class DataConfig(SourceConfig):
    """What to read."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "gru"
    """The recurrent layer."""
    units: Positive = 32
    """Units of each recurrent layer and direction."""
    depth: Positive = 1
    """Recurrent layers."""
    dropout: Fraction = 0.2
    """Locked dropout between recurrent layers, and dropout before the classes."""


SECTIONS = {"data": DataConfig, "model": ModelConfig}
MONITORED = ("loss", "accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
