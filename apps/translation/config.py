"""The sections of a translation configuration."""

from typing import Annotated, ClassVar, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, Positive, section
from rnnsuite.data.source_config import TableConfig
from rnnsuite.tasks.sections import DecoderConfig, SearchConfig


@section
class DataConfig(TableConfig):
    """What to read, and how sentences become subword ids."""

    languages: tuple[str, str] = ("en", "de")
    """From which, to which: endings of line files, columns of a table, or fields."""
    validation: Fraction = 0.05
    """Share of train that is held out where the source has no validation split."""
    split_by: Literal["text", "translation"] = "text"
    """The side by whose hash it is held out, so that no sentence is on both sides."""
    vocabulary_size: Annotated[int, pydantic.Field(ge=64)] = 8000
    """Subwords, of both languages together where `shared`, else of each."""
    shared: bool = True
    """Whether both languages have one vocabulary."""
    max_tokens: Annotated[int, pydantic.Field(ge=4)] = 100
    """Longer sources are cut, longer pairs are not trained on."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    RENAMED: ClassVar[dict[str, str]] = {
        "decoder_units": "decoder.units",
        "decoder_depth": "decoder.depth",
        "attention": "decoder.attention",
        "attention_units": "decoder.attention_units",
        "feeding": "decoder.feeding",
        "tied": "decoder.tied",
        "scheduled_sampling": "decoder.scheduled_sampling",
    }
    cell: Cell = "lstm"
    """The recurrent layer of encoder and decoder."""
    embedding: Positive = 256
    """Width of the token embeddings of both sides."""
    units: Positive = 256
    """Units of each direction of the encoder."""
    depth: Positive = 1
    """Layers of the encoder."""
    decoder: DecoderConfig = DecoderConfig()
    """The decoder."""
    token_dropout: Fraction = 0.0
    """Share of source tokens hidden in training."""
    dropout: Fraction = 0.3
    """Locked dropout of embeddings, of the encoder's output, between layers, before the last."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.1
    """Share of probability spread evenly over the vocabulary."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if self.decoder.feeding and self.weight_drop:
            raise ValueError("weight_drop goes with whole sequences, not with decoder.feeding")
        if self.decoder.attention == "dot" and self.decoder.units != 2 * self.units:
            raise ValueError("attention dot needs decoder.units to be twice the encoder's units")
        return self


SECTIONS = {"data": DataConfig, "model": ModelConfig, "decode": SearchConfig}
MONITORED = ("loss", "nll", "accuracy", "bleu", "chrf", "bleu_tokenised")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
