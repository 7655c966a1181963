"""The part of a `data` section that every application has."""

import dataclasses
from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import SplitName
from rnnsuite.core.section import Fraction, section


@section
class SourceConfig:
    """Where records come from."""

    source: str = "sample"
    """sample (generated), tfds:NAME, or a path in a layout that the application's README lists."""
    splits: dict[SplitName, str] = dataclasses.field(default_factory=dict)
    """Other names or slices for the splits of a tensorflow-datasets source."""
    validation: Fraction = 0.1
    """Share of train that is held out where the source has no validation split."""
    on_error: Literal["error", "skip"] = "error"
    """What a bad record does: stop, or be counted and left out."""
    licence: str = ""
    """What the data is and may be used for, such as WikiText-2, CC BY-SA 3.0; cards say it."""


@section
class TableConfig(SourceConfig):
    """Where records come from, and how tables among them are written."""

    encoding: str = "auto"
    """Of text files: a name that Python knows, such as utf-16; auto looks at the bytes."""
    delimiter: str = "auto"
    """Between the cells of a CSV file; auto looks at its first lines."""
    columns: tuple[str, ...] = ()
    """Names of the columns of a table without a header line."""


@section
class VideoConfig:
    """How videos become features, where a source holds videos in place of features."""

    backbone: str = ""
    """What makes features of a frame: a network of keras.applications, whose last map is averaged,
    or pixels for the frame as it is; empty where there are no videos."""
    weights: str = "imagenet"
    """The network's: imagenet (downloaded), or a file of weights."""
    size: Annotated[int, pydantic.Field(ge=4, le=1024)] = 96
    """Pixels of either side that frames are stretched to."""
    frames: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 16
    """Frames of a video at most, evenly over it."""
