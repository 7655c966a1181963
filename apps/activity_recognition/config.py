"""The sections of an activity recognition configuration."""

import dataclasses
from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import (
    Fraction,
    NotNegative,
    NotNegativeInt,
    Positive,
    Probability,
    section,
)
from rnnsuite.data.clips import ClipsConfig
from rnnsuite.data.source_config import VideoConfig

Joint = Annotated[int, pydantic.Field(ge=0, le=1000)]
Turn = Annotated[float, pydantic.Field(ge=0, le=180)]


@section
class DataConfig(ClipsConfig):
    """What to read, how frames become steps, and how clips are altered in training."""

    test: Fraction = 0.1
    """Share of people held out for testing where a source has no splits."""
    parts: dict[str, tuple[Joint, ...]] = dataclasses.field(default_factory=dict)
    """Joints of each part of the body, from the trunk outwards; neighbours are bones. The first
    part is the trunk."""
    root: Annotated[int, pydantic.Field(ge=-1)] = -1
    """The joint that is the body's centre; -1 for the mean of all joints."""
    smooth: Annotated[int, pydantic.Field(ge=1, le=99)] = 1
    """Frames over which paths of joints are smoothed, an odd number; 1 for not at all."""
    video: VideoConfig = VideoConfig()
    """What makes features of videos, where a source holds such."""
    hop: Positive = 1
    """Frames of a step of the model."""
    context: NotNegativeInt = 0
    """Steps before its own that a step reads the frames of."""
    scaling: Literal["each", "all", "length"] = "each"
    """By what the numbers of a frame are divided: each by its own deviation, all by one, such as
    components whose sizes tell something, or by the frame's length before."""
    spectrum: bool = False
    """Whether a step also holds the logarithms of its power spectrum."""
    crop: Fraction = 0.0
    """Share that is cut off either end of a training clip, at most."""
    speed: Fraction = 0.0
    """Share by which its speed changes, either way."""
    turn: Turn = 0.0
    """Degrees by which a body is turned about its second axis, the vertical one, either way."""
    tilt: Turn = 0.0
    """Degrees by which sensors of three axes each, all together, are turned, either way."""
    gain: Fraction = 0.0
    """Share by which its numbers grow or shrink, either way."""
    noise: NotNegative = 0.0
    """Standard deviation of what is added to them, beside each one's own."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if self.smooth % 2 == 0:
            raise ValueError(f"smooth is an odd number of frames, not {self.smooth}")
        return self


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "gru"
    """The recurrent layer."""
    part_units: NotNegativeInt = 0
    """Units of a stack for each part of the body, and of one for each part beside the trunk (HBRNN,
    CVPR 2015); 0 where the body is read as one."""
    projection: Positive = 64
    """Width of what the recurrent layers read."""
    units: Positive = 64
    """Units of the recurrent stack over whole clips, in each direction."""
    depth: Positive = 1
    """Its layers."""
    pooling: tuple[Literal["last", "mean", "max"], ...] = ()
    """What whole clips are pooled by beside attention."""
    stream_units: Positive = 64
    """Units of the stack for streams, which reads forward."""
    stream_depth: Positive = 1
    """Its layers."""
    input_dropout: Fraction = 0.0
    """Locked dropout of what frames hold."""
    dropout: Fraction = 0.2
    """Locked dropout of what the recurrent layers read, and between them."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    head_dropout: Fraction = 0.4
    """Dropout of the pooled vector."""
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.0
    """Share of probability spread evenly over the classes in training."""
    stream_share: Fraction = 0.0
    """Share that the stream's last answer has in that to a whole clip."""
    stream_weight: NotNegative = 1.0
    """Weight of the stream's loss beside that of whole clips."""


@section
class StreamConfig:
    """What is said of a stream."""

    confidence: Probability = 0.5
    """Probability from which a class is named; below it, nothing is."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "stream": StreamConfig}
MONITORED = ("loss", "accuracy", "whole_loss", "stream_loss", "stream_accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
