"""The sections of a configuration. What stands here is checked before anything else begins."""

from typing import Annotated

import pydantic

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


@section
class DetectConfig:
    """How classes at every step become events."""

    threshold: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    """Mean probability of its class from which an event counts."""
    pause: Positive = 2
    """Steps of background after which an event has ended."""
    shortest: Positive = 2
    """Steps; a shorter event does not count."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "detect": DetectConfig}
MONITORED = ("loss", "accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
