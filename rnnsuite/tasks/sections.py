"""Configuration sections that applications of one kind share. Nothing here imports TensorFlow."""

from typing import Annotated

import pydantic

from rnnsuite.core.names import AttentionKind
from rnnsuite.core.section import Fraction, NotNegative, Positive, PositiveFloat, section
from rnnsuite.data.source_config import TableConfig


@section
class DecoderConfig:
    """A recurrent decoder that attends a memory and predicts tokens."""

    units: Positive = 320
    """Units of each layer."""
    depth: Positive = 2
    """Layers. The first does not see what it attends; with one layer, nothing relates two things.
    """
    attention: AttentionKind = "additive"
    """Energy of the attention; uniform for none."""
    attention_units: Positive = 192
    """Width of additive and scaled_dot attention."""
    feeding: bool = False
    """Whether the last output goes into the next step (arXiv 1508.04025, section 3.3)."""
    tied: bool = True
    """Whether the embedding is also the matrix of the last layer."""
    token_dropout: Fraction = 0.0
    """Share of the tokens before that the decoder does not see in training."""
    scheduled_sampling: Fraction = 0.0
    """Share of the tokens before that are the model's own in training (arXiv 1506.03099)."""


@section
class CaptionsConfig(TableConfig):
    """Where captions come from, and how they become numbers."""

    most_captions: Positive = 5
    """Captions of a record that are read, the first ones."""
    lowercase: bool = True
    """Whether captions are learned and written in small letters."""
    vocabulary_size: Annotated[int, pydantic.Field(ge=16)] = 8000
    """Subwords (byte-pair encoding)."""
    max_tokens: Annotated[int, pydantic.Field(ge=4)] = 40
    """Longer captions are not trained on."""


@section
class SearchConfig:
    """How a sentence is searched for."""

    beam: Positive = 5
    """Live hypotheses; 1 is greedy."""
    length_penalty: NotNegative = 1.0
    """0 for the most probable sentence, 1 for the most probable per subword (arXiv 1609.08144)."""
    coverage_penalty: NotNegative = 0.0
    """How much it counts that all of the memory was attended (the same, eq. 14)."""
    max_length: Annotated[int, pydantic.Field(ge=1, le=1000)] = 100
    """Subwords at most."""


@section
class EventsConfig:
    """How probabilities at every step become events; see `rnnsuite.device.events.Detector`."""

    smoothing: PositiveFloat = 0.2
    """Seconds at the end of an event whose mean probability names it."""
    threshold: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    """Smoothed probability from which an event counts."""
    pause: PositiveFloat = 0.1
    """Seconds of background after which an event has ended."""
    shortest: NotNegative = 0.08
    """Seconds; a shorter event does not count."""
    longest: PositiveFloat = 2.0
    """Seconds; a longer event is closed and another one begun."""
    refractory: NotNegative = 0.3
    """Seconds after an event in which the same label does not count again."""
    lead: NotNegative = 0.0
    """Seconds by which probabilities rise too late."""
    tail: NotNegative = 0.1
    """Seconds by which probabilities fall too late."""


@section
class TranscribeConfig:
    """How text is searched for in what was heard."""

    beam: Positive = 8
    """Live texts; those of the signature nbest."""
    language_model: str = ""
    """A run or export of language_model over the same symbols, which weighs texts; empty: none."""
    language_weight: NotNegative = 0.5
    """Of its logarithms beside those of the sound (shallow fusion)."""
    word_bonus: float = 0.0
    """Added for each further word (nats), against a language model's love of short texts."""
    words: str = ""
    """A file of the only words that are written, a closed vocabulary; empty for any."""
    piece: Annotated[float, pydantic.Field(ge=1, le=60)] = 30.0
    """Seconds that are heard at once; a longer recording is cut where it is quiet."""
    shift: float = 0.02
    """Seconds that words begin and end after the steps that name them; half a step by default."""


@section
class DictationConfig:
    """How a stream is written down; see `rnnsuite.device.transcribe.Transcriber`."""

    beam: Positive = 8
    """Live texts; 1 for the likeliest symbol at every step."""
    pause: PositiveFloat = 0.6
    """Seconds without a symbol behind which all words stand."""
    chunk: Annotated[float, pydantic.Field(ge=0.01, le=2)] = 0.16
    """Seconds heard at a time, in whole steps; an export keeps the value that it was made with."""
