"""The sections of a configuration. What stands here is checked before anything else begins."""

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.data.channels import ChannelsConfig


@section
class DataConfig(ChannelsConfig):
    """What to read, and how far it looks back and ahead."""

    test: Fraction = 0.1
    """Share of every series, its latest steps, that is held out for testing."""
    past: Positive = 32
    """Steps that a forecast looks back."""
    horizon: Positive = 8
    """Steps that it looks ahead."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "gru"
    """The recurrent layer."""
    units: Positive = 32
    """Units of each recurrent layer."""
    depth: Positive = 1
    """Recurrent layers."""
    dropout: Fraction = 0.1
    """Locked dropout between recurrent layers, and dropout before the forecast."""


SECTIONS = {"data": DataConfig, "model": ModelConfig}
MONITORED = ("loss",)
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
