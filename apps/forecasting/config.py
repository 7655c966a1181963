"""The sections of a forecasting configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell, Center, Scale
from rnnsuite.core.section import (
    Fraction,
    NotNegative,
    NotNegativeInt,
    Positive,
    Probability,
    section,
)
from rnnsuite.data.series_config import SeriesConfig

Level = Annotated[float, pydantic.Field(gt=0, lt=1)]


@section
class DataConfig(SeriesConfig):
    """What to read, how it is divided by time, and what a window is."""

    cuts: Annotated[tuple[str, ...], pydantic.Field(min_length=1, max_length=3)] = ("0.8", "0.9")
    """Where train, validation and test end: shares, numbers (-48 from the end), or dates."""
    lookback: Positive = 96
    """Values that the model reads."""
    horizon: Positive = 24
    """Steps that it forecasts."""
    stride: Positive = 1
    """Steps from one training window to the next."""
    step: Positive = 1
    """Steps from one forecast of validation and test to the next (rolling origin)."""
    windows: NotNegativeInt = 0
    """Forecasts of each series in validation and test: so many, the last ones; 0 for all."""
    season: NotNegativeInt = 0
    """Steps of a season, for the seasonal naive forecast and MASE; 0 for the frequency's own."""
    together: bool = False
    """Whether all series are one input of the model, each forecast told of the others."""
    power: Annotated[float, pydantic.Field(ge=0, le=1)] = 1.0
    """The model works with (1 + value) to this power, at 0 its logarithm (Box & Cox, 1964), for
    values from 0 on whose errors grow with them; at 1 with the values, whatever they are. Below 1,
    what it forecasts as mean is nearly a median."""
    center: Center = "last"
    """What of a window is subtracted from it."""
    scale: Scale = "deviation"
    """What it is divided by."""
    calendar: bool = True
    """Whether the model reads where in the day, the week and the year a step is."""


@section
class ModelConfig:
    """Sizes and regularisation."""

    kind: Literal["segments", "steps", "autoregressive"] = "segments"
    """Segments of several steps, the horizon's side by side (arXiv 2308.11200); step by step; or
    paths that are drawn value by value from a distribution (arXiv 1704.04110)."""
    cell: Cell = "gru"
    """The recurrent layer."""
    units: Positive = 64
    """Width of each recurrent layer."""
    depth: Positive = 1
    """Recurrent layers."""
    segment: Positive = 12
    """Of segments: steps in one; it must divide look-back and horizon."""
    vectors: Positive = 8
    """Of series together: width of the vector that tells each from the others."""
    neighbours: bool = True
    """Of series together: whether each hears the others, those that its vector finds (arXiv
    1906.00121); else they only share the network."""
    linear: bool = False
    """Whether a linear model of the window's values and of each step's features is added to the
    network (LSTNet's autoregressive part, arXiv 1703.07015); not of autoregressive."""
    dropout: Fraction = 0.1
    """Dropout before the quantiles, and between recurrent layers."""
    levels: Annotated[tuple[Level, ...], pydantic.Field(min_length=1)] = (
        0.025,
        0.1,
        0.25,
        0.5,
        0.75,
        0.9,
        0.975,
    )
    """The quantiles, rising."""
    error: Literal["squared", "absolute"] = "squared"
    """What the mean is trained by; absolute makes it a median."""
    quantile_weight: NotNegative = 1.0
    """Weight of the quantile loss beside the mean's."""
    frequency_weight: Probability = 0.0
    """Share of the mean's error that is taken between the Fourier transforms of forecast and truth
    (arXiv 2402.02399): steps err together, frequencies hardly do; not of autoregressive."""
    distribution: Literal["gaussian", "student", "negative_binomial"] = "student"
    """Of autoregressive: that of the next value; negative_binomial is for counts."""
    paths: Annotated[int, pydantic.Field(ge=2, le=10_000)] = 200
    """Of autoregressive: futures that are drawn."""
    conformal: bool = True
    """Whether held-out windows widen or narrow the intervals (arXiv 1905.03222)."""


SECTIONS = {"data": DataConfig, "model": ModelConfig}
MONITORED = ("loss", "error", "quantile_loss")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
