"""The sections of an object recognition configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, NotNegativeInt, Positive, section
from rnnsuite.data.source_config import TableConfig

Share = Annotated[float, pydantic.Field(ge=0, le=0.9)]


@section
class DataConfig(TableConfig):
    """What to read, and how pictures are altered in training."""

    image: str = "image"
    """The field with the image in a tensorflow-datasets source."""
    label: str = "label"
    """The field, column or key with the class."""
    size: Annotated[int, pydantic.Field(ge=4, le=1024)] = 64
    """Pixels of either side that pictures are stretched to."""
    flip: Literal["none", "horizontal", "dihedral"] = "none"
    """How pictures are turned in training; dihedral for pictures from above."""
    crop: Share = 0.0
    """Share of a side that is cut away in training, at most."""
    colour: Share = 0.0
    """Share by which colours change in training, at most."""
    shift: Share = 0.0
    """Share of a side by which a picture moves in training, at most; its edge is repeated."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    filters: Annotated[tuple[Positive, ...], pydantic.Field(max_length=6)] = (32, 64)
    """Filters of each stage of a residual network; empty where patches are read as they are."""
    blocks: Positive = 1
    """Residual blocks of a stage."""
    drop_path: Fraction = 0.0
    """Share of examples that skip the last block in training, fewer before (arXiv 1603.09382)."""
    patch: Positive = 4
    """Pixels of a side of a patch, without a residual network."""
    reader: Literal["sweeps", "rows", "mean"] = "sweeps"
    """How places are read: four recurrent sweeps (arXiv 1505.00393), one recurrent stack over rows
    from top to bottom and back, or not at all, which is a mean."""
    cell: Cell = "gru"
    """The recurrent layer."""
    units: Positive = 64
    """Units of each sweep, or of the stack in each direction."""
    depth: Positive = 1
    """Layers of four sweeps, or of the stack."""
    dropout: Fraction = 0.2
    """Dropout of what is read, and between layers."""
    head_dropout: Fraction = 0.4
    """Dropout of the pooled vector."""
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.0
    """Share of probability spread evenly over the classes in training."""


@section
class ReportConfig:
    """What a report shows besides."""

    grid: NotNegativeInt = 4
    """Patches of a side that are shuffled, to see whether their arrangement matters; 0 for none."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "report": ReportConfig}
MONITORED = ("loss", "accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
