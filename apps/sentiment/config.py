"""The sections of a sentiment configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, NotNegative, NotNegativeInt, Positive, section
from rnnsuite.data.source_config import TableConfig


@section
class DataConfig(TableConfig):
    """What to read, and how texts become token ids."""

    text: str = "text"
    """The record's field with the text."""
    label: str = "label"
    """The record's field with the class."""
    vocabulary_size: Annotated[int, pydantic.Field(ge=64)] = 8000
    """WordPiece pieces, about so many."""
    lower: bool = True
    """Whether case is folded."""
    language_model: str = ""
    """A run or export of a language model whose subwords are taken, and weights to begin with."""
    ngrams: Annotated[int, pydantic.Field(ge=0, le=2**26)] = 0
    """Rows of the hashed table of a linear classifier of n-grams beside the network; 0: none."""
    max_tokens: Annotated[int, pydantic.Field(ge=2)] = 512
    """A longer text keeps its first and its last half of this many tokens."""
    longest: NotNegativeInt = 0
    """Tokens that are read of a text once the model is trained; 0: as many as in training."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "lstm"
    """The recurrent layer."""
    embedding: Positive = 64
    """Width of the token embedding."""
    region: NotNegativeInt = 0
    """Width of a residual convolution over the embeddings, in tokens; 0 for none."""
    units: Positive = 64
    """Units of each recurrent layer and direction."""
    depth: Positive = 1
    """Recurrent layers."""
    bidirectional: bool = True
    """Whether both directions are read."""
    residual: bool = False
    """Whether a layer's input is added to its output where their widths are equal."""
    layer_norm: bool = False
    """Whether each layer's output is normalised (arXiv 1607.06450)."""
    averaged: bool = False
    """Whether each direction has a classifier of its own, and these are averaged (1801.06146)."""
    language_weight: NotNegative = 0.0
    """Weight of a language model's loss beside the classifier's, of averaged directions."""
    pooling: tuple[Literal["last", "mean", "max"], ...] = ("max",)
    """What the classifier sees beside the attentive pooling that also explains."""
    token_dropout: Fraction = 0.1
    """Share of tokens hidden in training."""
    embedding_dropout: Fraction = 0.2
    """Locked dropout of the embedding (arXiv 1512.05287)."""
    dropout: Fraction = 0.2
    """Locked dropout between recurrent layers."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    zoneout: Fraction = 0.0
    """Share of units that keep their state in a step (arXiv 1606.01305)."""
    head_dropout: Fraction = 0.5
    """Dropout of the pooled vector."""


SECTIONS = {"data": DataConfig, "model": ModelConfig}
MONITORED = ("loss", "accuracy")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
