"""The sections of a speech commands configuration."""

from typing import Annotated, ClassVar, Literal

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
from rnnsuite.data.source_config import SourceConfig
from rnnsuite.tasks.sections import EventsConfig


@section
class DataConfig(SourceConfig):
    """What to read, how sound becomes features, and how clips are altered in training."""

    audio: str = "audio"
    """The field with the sound in a tensorflow-datasets source."""
    label: str = "label"
    """The field with the class in a tensorflow-datasets source."""
    test: Fraction = 0.1
    """Share held out for testing where a folder has no splits."""
    words: tuple[str, ...] = ()
    """The classes; other folders become _unknown_. Empty for all of them."""
    silence: NotNegative = 0.1
    """Clips of noise for each clip of a word."""
    unknown: NotNegative = 0.1
    """Clips of other words for each clip of a word."""
    clip_seconds: Annotated[float, pydantic.Field(ge=0.2, le=30)] = 1.0
    """Seconds that a clip is cut or filled up to."""
    bins: Annotated[int, pydantic.Field(ge=8, le=128)] = 40
    """Log-mel bins."""
    coefficients: Annotated[int, pydantic.Field(ge=0, le=128)] = 0
    """MFCC coefficients; 0 for the log-mel bins themselves."""
    normalisation: Literal["fixed", "running", "clip"] = "fixed"
    """Of the features: by train's mean, a moving mean, or the clip's, which has no stream."""
    shift: NotNegative = 0.1
    """Seconds by which a clip moves, either way."""
    speed: Annotated[float, pydantic.Field(ge=0, le=0.5)] = 0.1
    """Share by which its speed changes, either way."""
    gain: NotNegative = 6.0
    """dB by which its loudness changes, either way."""
    noise: Probability = 0.8
    """Share of clips that noise is added to."""
    snr: tuple[float, float] = (0.0, 30.0)
    """Range of their signal-to-noise ratio, in dB."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    RENAMED: ClassVar[dict[str, str]] = {
        "bands": "freq_masks",
        "width": "freq_width",
        "spans": "time_masks",
        "steps": "time_width",
    }
    cell: Cell = "lstm"
    """The recurrent layer."""
    channels: tuple[Positive, ...] = (32, 64)
    """Filters of the convolutions; the first halves time and frequency, the others frequency."""
    projection: Positive = 128
    """Width of what the recurrent layers see."""
    units: Positive = 96
    """Units of the recurrent stack over whole clips."""
    depth: Positive = 1
    """Its layers."""
    bidirectional: bool = True
    """Whether it reads both directions."""
    stream_units: NotNegativeInt = 128
    """Units of the one-directional stack for streams; 0 for no stream."""
    stream_depth: Positive = 1
    """Its layers."""
    freq_masks: NotNegativeInt = 2
    """SpecAugment: frequency masks (arXiv 1904.08779)."""
    freq_width: NotNegativeInt = 8
    """SpecAugment: widest frequency mask, in bins."""
    time_masks: NotNegativeInt = 2
    """SpecAugment: time masks."""
    time_width: NotNegativeInt = 15
    """SpecAugment: longest time mask, in frames of 10 ms."""
    dropout: Fraction = 0.2
    """Locked dropout of the projection and between layers."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    head_dropout: Fraction = 0.4
    """Dropout of the pooled vector."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "stream": EventsConfig}
MONITORED = ("loss", "accuracy", "clip_loss", "stream_loss", "stream_accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
