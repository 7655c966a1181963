"""The sections of an event detection configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import (
    Fraction,
    NotNegative,
    NotNegativeInt,
    Positive,
    PositiveFloat,
    Probability,
    section,
)
from rnnsuite.data.recordings import RecordingsConfig


@section
class DataConfig(RecordingsConfig):
    """What to read, what counts as an event, and what a step is."""

    test: Fraction = 0.1
    """Share of people held out for testing where a source has no splits."""
    background: tuple[str, ...] = ()
    """Labels that are no events: the network learns to tell them, and nothing is said of them."""
    point: PositiveFloat = 0.1
    """Seconds that a labelled point is taken to last, around it."""
    hop: Positive = 5
    """Samples of a step of the model."""
    context: NotNegativeInt = 4
    """Steps before its own that a step reads the samples of."""
    memory: NotNegative = 0.0
    """Seconds by whose mean and deviation samples are scaled once more, so that neither gain nor
    drift matters; 0 where the level itself tells something."""
    balance: Probability = 0.0
    """How much rare classes weigh more: by this power of how rare they are; 0 for not at all."""
    look_ahead: NotNegativeInt = 5
    """Steps that a stream waits before it answers."""
    window: Annotated[int, pydantic.Field(ge=8)] = 300
    """Steps of a window that is read at once, in both directions."""
    stride: Positive = 150
    """Steps from one training window to the next."""
    gain: NotNegative = 0.0
    """Share by which the size of a training window changes, either way."""
    speed: Fraction = 0.0
    """Share by which its speed changes, either way."""
    noise: NotNegative = 0.0
    """Standard deviation of what is added to training windows, beside each channel's own."""
    matching: Literal["overlap", "onset", "intersection"] = "overlap"
    """When an event is found: where one touches it, begins near it, or shares most of it."""
    tolerance: PositiveFloat = 0.5
    """Of onset: seconds between both beginnings at most; of intersection: the share of their union
    that is common."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "gru"
    """The recurrent layer."""
    projection: Positive = 64
    """Width of what the recurrent layers read."""
    units: Positive = 64
    """Of the stack in both directions, in each."""
    depth: Positive = 1
    """Its layers."""
    stream_units: Positive = 96
    """Of the stack for streams, which reads forward."""
    stream_depth: Positive = 1
    """Its layers."""
    exclusive: bool = True
    """Whether one thing happens at a time; otherwise several classes can be at once."""
    boundary: NotNegative = 1.0
    """Weight that a step beside a beginning or an end has more than others."""
    dropout: Fraction = 0.2
    """Of what the recurrent layers read, between them, and before the classes."""


@section
class DetectConfig:
    """How classes at every step become events; see `rnnsuite.device.events.Detector`."""

    threshold: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    """Mean probability of its class from which an event counts."""
    pause: PositiveFloat = 0.2
    """Seconds of background after which an event has ended."""
    shortest: NotNegative = 0.0
    """Seconds; a shorter event does not count."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "detect": DetectConfig}
MONITORED = ("loss", "whole_loss", "stream_loss")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
