"""The sections of a language model's configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import Fraction, NotNegative, NotNegativeInt, Positive, section
from rnnsuite.data.source_config import TableConfig


@section
class DataConfig(TableConfig):
    """What to read, and how text becomes tokens."""

    text: str = "text"
    """The record's field with the text."""
    documents: Literal["auto", "line", "file"] = "auto"
    """What of a text file is a document; auto: its lines, but whole files where a folder is read.
    """
    unit: Literal["words", "characters", "subwords"] = "subwords"
    """What tokens are: words between spaces, characters, or learned pieces of words."""
    vocabulary_size: Annotated[int, pydantic.Field(ge=8)] = 8000
    """Tokens at most, the most frequent ones; the others are unknown."""
    least_count: Positive = 1
    """Occurrences that a word or character must have to be in the vocabulary."""
    lower: bool = False
    """Whether case is folded."""
    direction: Literal["forward", "backward", "both"] = "forward"
    """Whether the next token is predicted, the one before, or each by a network of its own."""
    reset: bool = False
    """Whether nothing is remembered from one document to the next."""
    max_tokens: Annotated[int, pydantic.Field(ge=2)] = 1024
    """Tokens of a request's text that are read; of a longer one, the last."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    cell: Cell = "lstm"
    """The recurrent layer."""
    embedding: Positive = 256
    """Width of the token vectors, which are also the weights of the softmax (arXiv 1608.05859)."""
    units: Positive = 512
    """Units of each recurrent layer; where they differ from embedding, a projection follows."""
    depth: Positive = 1
    """Recurrent layers."""
    residual: bool = False
    """Whether a layer's input is added to its output where their widths are equal."""
    layer_norm: bool = False
    """Whether each layer's output is normalised (arXiv 1607.06450)."""
    softmax: Literal["full", "adaptive", "sampled"] = "full"
    """Over all tokens; in clusters by frequency (arXiv 1609.04309); over drawn ones in training."""
    cutoffs: tuple[Positive, ...] = ()
    """Of adaptive: where its first cluster ends, and each further one but the last."""
    samples: Positive = 2048
    """Of sampled: tokens drawn for a batch, corrected by log Q (Bengio & Senecal 2008)."""
    embedding_dropout: Fraction = 0.0
    """Share of the vocabulary without a vector in a training step (arXiv 1708.02182)."""
    input_dropout: Fraction = 0.2
    """Locked dropout of the token vectors (arXiv 1512.05287)."""
    dropout: Fraction = 0.2
    """Locked dropout between recurrent layers."""
    output_dropout: Fraction = 0.2
    """Locked dropout before the softmax."""
    weight_drop: Fraction = 0.0
    """Share of the recurrent weights left out in a training step (arXiv 1708.02182)."""
    zoneout: Fraction = 0.0
    """Share of units that keep their state in a step (arXiv 1606.01305)."""
    activity: NotNegative = 0.0
    """Weight of the squared outputs in the loss (activation regularisation, arXiv 1708.01009)."""
    slowness: NotNegative = 0.0
    """Weight of the squared change of outputs from step to step (temporal, the same)."""


@section
class DecodeConfig:
    """How text goes on."""

    temperature: NotNegative = 1.0
    """By which the logits are divided; 0 for the most probable token every time."""
    top_k: NotNegativeInt = 0
    """Tokens that are drawn from, the most probable ones (arXiv 1805.04833); 0 for all."""
    top_p: Annotated[float, pydantic.Field(gt=0, le=1)] = 0.9
    """Probability that the fewest tokens drawn from hold together (nucleus, arXiv 1904.09751)."""
    max_length: Annotated[int, pydantic.Field(ge=0, le=10_000)] = 50
    """Tokens at most."""
    stop: tuple[Annotated[str, pydantic.Field(min_length=1, pattern=r"^[^\n]*$")], ...] = ()
    """Texts at which it ends; they are left out."""
    seed: int = 0
    """Of what is drawn, with the text asked about: the same two give the same text."""
    unknown: bool = False
    """Whether the unknown token may come."""
    beam: Positive = 5
    """Live hypotheses of the signature nbest."""
    count: Positive = 10
    """Next tokens that the signature next gives."""


@section
class ScoreConfig:
    """What probabilities the model gives, and how a whole text is scored."""

    temperature: Annotated[float, pydantic.Field(ge=0.05, le=20)] = 1.0
    """By which scores are divided before they are probabilities, wherever the model is asked: over
    1 for one that is surer than right of texts unlike those it learned from (arXiv 1706.04599).
    Choose it on text that was held out of training."""
    piece: Positive = 64
    """Tokens that are read at a time; the state goes from piece to piece."""
    dynamic: NotNegative = 0.0
    """Learning rate of dynamic evaluation (arXiv 1709.07432); 0 for none. Of a run only."""
    dynamic_decay: NotNegative = 0.0
    """Share by which it draws weights back to the trained ones after each piece."""
    cache: NotNegativeInt = 0
    """Tokens before that a cache pointer remembers (arXiv 1612.04426); 0 for none."""
    cache_flatness: NotNegative = 0.3
    """Of the cache: by which products of vectors are multiplied."""
    cache_weight: Fraction = 0.1
    """Share of the probability that is the cache's."""


SECTIONS = {
    "data": DataConfig,
    "model": ModelConfig,
    "decode": DecodeConfig,
    "score": ScoreConfig,
}
MONITORED = ("loss", "nll")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
