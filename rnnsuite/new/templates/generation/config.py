"""The sections of a configuration. What stands here is checked before anything else begins."""

from typing import Annotated

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.data.source_config import TableConfig
from rnnsuite.tasks.sections import DecoderConfig, SearchConfig


@section
class DataConfig(TableConfig):
    """What to read, and how texts become subword ids."""

    vocabulary_size: Annotated[int, pydantic.Field(ge=16)] = 4000
    """Subwords, of texts and targets together."""
    max_tokens: Annotated[int, pydantic.Field(ge=4)] = 100
    """Longer texts are cut, longer pairs are not trained on."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "lstm"
    """The recurrent layer of encoder and decoder."""
    embedding: Positive = 64
    """Width of the subword embedding."""
    units: Positive = 64
    """Units of each direction of the encoder."""
    depth: Positive = 1
    """Layers of the encoder."""
    decoder: DecoderConfig = DecoderConfig(units=128, attention_units=64)
    """The decoder."""
    dropout: Fraction = 0.2
    """Locked dropout of embeddings, of the encoder's output, between layers, before the last."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "decode": SearchConfig}
MONITORED = ("loss", "nll", "accuracy", "exact_match", "chrf")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
