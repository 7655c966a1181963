"""The sections of a captioning configuration."""

from typing import Annotated, ClassVar, Literal

import pydantic

from rnnsuite.core.names import AttentionKind, Cell
from rnnsuite.core.section import Fraction, NotNegative, Positive, section
from rnnsuite.tasks.sections import CaptionsConfig, DecoderConfig, SearchConfig

Share = Annotated[float, pydantic.Field(ge=0, le=0.9)]


@section
class DataConfig(CaptionsConfig):
    """What to read, and how images and captions become numbers."""

    image: str = "image"
    """The field with the image in a tensorflow-datasets source."""
    captions: str = "captions"
    """The field with its captions."""
    size: Annotated[int, pydantic.Field(ge=16, le=1024)] = 64
    """Pixels of either side that images are stretched to."""
    backbone: str = ""
    """A network of keras.applications in place of an encoder trained from scratch."""
    weights: str = "imagenet"
    """Its first weights: imagenet (downloaded), random, or a file of weights."""
    frozen: bool = True
    """Whether it stays as it is; its features are then kept on disk, without augmentation."""
    flip: Literal["none", "horizontal", "dihedral"] = "none"
    """How images are turned in training; dihedral for images from above."""
    crop: Share = 0.0
    """Share of a side that is cut away in training, at most."""
    colour: Share = 0.0
    """Share by which colours change in training, at most."""

    @pydantic.model_validator(mode="after")
    def _check(self):
        if self.backbone and self.frozen and (self.flip != "none" or self.crop or self.colour):
            raise ValueError(
                "flip, crop and colour go with data.frozen=false: a frozen backbone sees an image "
                "once"
            )
        return self


@section
class CaptionDecoder(DecoderConfig):
    """A recurrent decoder that attends the positions of an image."""

    units: Positive = 256
    """Units of each layer."""
    attention: AttentionKind = "scaled_dot"
    """Energy of the attention; uniform for none."""
    attention_units: Positive = 128
    """Width of additive and scaled_dot attention."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    RENAMED: ClassVar[dict[str, str]] = {
        "decoder_units": "decoder.units",
        "decoder_depth": "decoder.depth",
        "attention": "decoder.attention",
        "attention_units": "decoder.attention_units",
        "tied": "decoder.tied",
        "token_dropout": "decoder.token_dropout",
        "scheduled_sampling": "decoder.scheduled_sampling",
    }
    filters: Annotated[tuple[Positive, ...], pydantic.Field(min_length=1, max_length=6)] = (
        32,
        64,
        128,
        256,
    )
    """Filters of each stage of the residual encoder; every stage halves the sides."""
    blocks: Positive = 1
    """Residual blocks of a stage."""
    drop_path: Fraction = 0.0
    """Share of examples that skip the last block in training, fewer before (arXiv 1603.09382)."""
    width: Positive = 256
    """Width of the memory, which a 1 x 1 convolution and a vector for each position make."""
    position_scale: NotNegative = 0.02
    """Size of those vectors at first: the larger, the sooner positions matter."""
    cell: Cell = "lstm"
    """The recurrent layer of the decoder."""
    embedding: Positive = 128
    """Width of the token embedding."""
    decoder: CaptionDecoder = CaptionDecoder()
    """The decoder."""
    dropout: Fraction = 0.2
    """Dropout of the memory, and locked dropout in the decoder."""
    label_smoothing: Annotated[float, pydantic.Field(ge=0, lt=0.5)] = 0.1
    """Share of probability spread evenly over the vocabulary."""
    attention_penalty: NotNegative = 0.0
    """Weight of attending all positions alike over a caption (arXiv 1502.03044, eq. 14)."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "decode": SearchConfig}
MONITORED = ("loss", "nll", "accuracy", "bleu_4", "cider", "exact_match", "distinct_captions")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
