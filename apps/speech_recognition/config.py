"""The sections of a speech recognition configuration."""

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
from rnnsuite.data.transcripts import TranscriptsConfig
from rnnsuite.tasks.sections import DictationConfig, TranscribeConfig

GRAIN = 16
"""Steps of which every example has a multiple, by silence: of few lengths, few are compiled."""

MOST_AHEAD = 16
"""Steps that a stream may wait for."""


@section
class DataConfig(TranscriptsConfig):
    """What to read, how sound becomes features and text symbols, and how sound is altered."""

    audio: str = "speech"
    """The field with the sound in a tensorflow-datasets source."""
    unit: Literal["characters", "subwords"] = "characters"
    """What symbols are."""
    vocabulary_size: Annotated[int, pydantic.Field(ge=8)] = 256
    """Symbols at most."""
    bins: Annotated[int, pydantic.Field(ge=8, le=128)] = 64
    """Log-mel bins."""
    reduction: Literal[2, 4, 8] = 4
    """Frames of 10 ms that become one step of the network, by convolutions of stride 2."""
    speed: Annotated[float, pydantic.Field(ge=0, le=0.5)] = 0.1
    """Share by which a recording's speed changes in training, either way."""
    gain: NotNegative = 6.0
    """dB by which its loudness changes, either way."""
    noise: Probability = 0.5
    """Share of recordings that noise is added to."""
    snr: tuple[float, float] = (5.0, 35.0)
    """Range of their signal-to-noise ratio, in dB."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "lstm"
    """The recurrent layer."""
    channels: tuple[Positive, ...] = (32, 32)
    """Filters of the convolutions, each over 5 frequencies; the first ones halve time."""
    projection: Positive = 256
    """Width of what the recurrent layers see."""
    units: Positive = 192
    """Units of the recurrent layers that read whole recordings, in each direction."""
    depth: Positive = 3
    """Their number."""
    stream_units: NotNegativeInt = 192
    """Units of the one-directional layers for streams; 0 for no stream."""
    stream_depth: Positive = 3
    """Their number."""
    look_ahead: Annotated[int, pydantic.Field(ge=0, le=MOST_AHEAD)] = 8
    """Steps that a stream waits for (arXiv 1512.02595, section 3.7)."""
    timing: NotNegativeInt = 0
    """Steps before and behind one by which a head of its own times words; 0 for none: the stream's
    head times them. What sees little cannot name a symbol far from its sound."""
    label_priors: Annotated[float, pydantic.Field(ge=0, le=1)] = 0.3
    """Share of how frequent each symbol is that the loss of that head takes off, so that symbols
    last as long as they sound (arXiv 2406.02560)."""
    layer_norm: bool = True
    """Whether each recurrent layer's output is normalised."""
    freq_masks: NotNegativeInt = 2
    """SpecAugment: frequency masks (arXiv 1904.08779)."""
    freq_width: NotNegativeInt = 12
    """SpecAugment: widest frequency mask, in bins."""
    time_masks: NotNegativeInt = 4
    """SpecAugment: time masks."""
    time_width: NotNegativeInt = 12
    """SpecAugment: longest time mask, in frames of 10 ms."""
    dropout: Fraction = 0.3
    """Locked dropout of the projection, between layers, and before the last one."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""


SECTIONS = {
    "data": DataConfig,
    "model": ModelConfig,
    "transcribe": TranscribeConfig,
    "stream": DictationConfig,
}
MONITORED = ("loss", "whole_loss", "stream_loss", "timing_loss", "wer", "cer")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
