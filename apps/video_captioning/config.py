"""The sections of a video captioning configuration."""

from typing import Annotated

import pydantic

from rnnsuite.core.names import AttentionKind, Cell
from rnnsuite.core.section import Fraction, NotNegative, NotNegativeInt, Positive, section
from rnnsuite.data.source_config import VideoConfig
from rnnsuite.tasks.sections import CaptionsConfig, DecoderConfig, SearchConfig


@section
class DataConfig(CaptionsConfig):
    """What to read, and how frames are altered in training."""

    features: str = "features"
    """The field with the features of frames in a tensorflow-datasets source."""
    captions: str = "captions"
    """The field with the captions."""
    video: VideoConfig = VideoConfig()
    """What makes features of videos, where a source holds such."""
    frame_dropout: Fraction = 0.0
    """Share of the frames that are left out of a training video."""
    noise: NotNegative = 0.0
    """Standard deviation of what is added to features in training, beside each one's own."""


@section
class VideoDecoder(DecoderConfig):
    """A recurrent decoder that attends frames (arXiv 1502.08029)."""

    units: Positive = 256
    """Units of each layer."""
    depth: Positive = 1
    """Layers, one on the other."""
    attention: AttentionKind = "additive"
    """Energy of the attention; uniform for none."""
    attention_units: Positive = 128
    """Width of additive and scaled_dot attention."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    width: Positive = 256
    """Width of the memory that a frame becomes."""
    cell: Cell = "lstm"
    """The recurrent layer of encoder and decoder."""
    encoder_units: NotNegativeInt = 128
    """Units of the encoder in each direction (arXiv 1505.00487 reads frames so); 0 where the
    decoder attends frames as they are."""
    encoder_depth: Positive = 1
    """Its layers."""
    embedding: Positive = 128
    """Width of the token embedding."""
    decoder: VideoDecoder = VideoDecoder()
    """The decoder."""
    input_dropout: Fraction = 0.0
    """Locked dropout of features."""
    dropout: Fraction = 0.3
    """Locked dropout of the memory, and in the decoder."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.1
    """Share of probability spread evenly over the vocabulary."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "decode": SearchConfig}
MONITORED = ("loss", "nll", "accuracy", "bleu_4", "cider", "exact_match", "distinct_captions")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
