"""The sections of a configuration. What stands here is checked before anything else begins."""

from typing import Annotated

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.data.transcripts import TranscriptsConfig
from rnnsuite.tasks.sections import TranscribeConfig


@section
class DataConfig(TranscriptsConfig):
    """What to read, and how sound becomes features."""

    bins: Annotated[int, pydantic.Field(ge=8, le=128)] = 40
    """Log-mel bins."""
    frames: Annotated[int, pydantic.Field(ge=1, le=8)] = 2
    """Frames of 10 ms that are one step of the network."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "gru"
    """The recurrent layer."""
    projection: Positive = 64
    """Width of what the recurrent layers read."""
    units: Positive = 64
    """Units of each recurrent layer and direction."""
    depth: Positive = 1
    """Recurrent layers."""
    dropout: Fraction = 0.1
    """Locked dropout of the projection, between layers, and before the symbols."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "transcribe": TranscribeConfig}
MONITORED = ("loss", "wer", "cer")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
