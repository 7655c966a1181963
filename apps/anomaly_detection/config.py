"""The sections of an anomaly detection configuration."""

from typing import Annotated, Literal

import pydantic

from rnnsuite.core.names import Cell
from rnnsuite.core.section import (
    Fraction,
    NotNegative,
    NotNegativeInt,
    Positive,
    PositiveFloat,
    section,
)
from rnnsuite.data.channels import ChannelsConfig

Evidence = Literal["forecast", "sustained", "reconstruction", "value", "mean", "novelty"]
LEARNED = ("forecast", "sustained", "reconstruction")
"""Evidence that a network gives; the others are of the stream alone."""


@section
class DataConfig(ChannelsConfig):
    """What to read, how it is divided by time, and what a training window is."""

    cuts: tuple[Fraction, Fraction] = (0.6, 0.7)
    """Of series without splits: shares of each at which train and validation end."""
    history: NotNegativeInt = 0
    """Observations before the second cut at most, as in NAB's probation; 0 for any number."""
    scored: tuple[str, ...] = ()
    """The channels whose anomalies are looked for, the others being read; empty for all."""
    window: Annotated[int, pydantic.Field(ge=8)] = 96
    """Observations of a training window."""
    stride: Positive = 24
    """Observations from one training window to the next."""
    memory: PositiveFloat = 1000.0
    """Observations after which one counts half in the mean and deviation that values are scaled by.
    """


@section
class ModelConfig:
    """What tells an anomaly, and the network."""

    evidence: Annotated[tuple[Evidence, ...], pydantic.Field(min_length=1)] = (
        "forecast",
        "value",
        "mean",
        "novelty",
    )
    """What is added up: a forecast's surprise, sustained surprise, errors of a reconstruction,
    values and short means beyond those before, and values unlike any before."""
    cell: Cell = "gru"
    """The recurrent layer."""
    units: Positive = 64
    """Its width."""
    depth: Positive = 1
    """Recurrent layers."""
    dropout: Fraction = 0.1
    """Dropout before the heads, and between recurrent layers."""
    distribution: Literal["gaussian", "student"] = "student"
    """Of the next value; student has heavy tails."""
    span: Positive = 16
    """Observations that a reconstruction goes back."""
    code: Positive = 8
    """Numbers that a reconstruction is made from."""
    short: Positive = 20
    """Observations of a short mean, of values and of sustained surprise; of the tail ratio, after
    which one counts half."""
    recent: Positive = 1000
    """Observations among which the most similar ones are looked for."""
    neighbours: Annotated[tuple[Positive, ...], pydantic.Field(min_length=1)] = (1, 3)
    """Of novelty: how many observations in a row are compared."""
    pool: Positive = 1
    """Of novelty: observations of whose mean each of these is."""
    tail: Literal["extremes", "likelihood", "ratio", "none"] = "extremes"
    """How evidence becomes comparable, in nats by the largest before it, or by mean and deviation
    of those before (NAB's anomaly likelihood); of novelty, as ratio to its mean in the long run; or
    not, of a forecast's surprise, which is in nats as it is."""
    resolution: NotNegative = 0.0
    """Of ratio: a distance of values that is none, in their unit."""
    largest: Annotated[int, pydantic.Field(ge=2, le=100)] = 40
    """Of extremes: largest values that are kept."""
    cap: PositiveFloat = 20.0
    """Nats of one piece of evidence at most, so that none outvotes all others."""


@section
class DetectConfig:
    """From which score on there is an alarm, and what one event is."""

    threshold: Literal["peaks", "quantile", "dynamic", "fixed"] = "peaks"
    """Of held-out scores: by the tail of their peaks (POT), as a quantile, as Telemanom does, or
    `level`."""
    risk: Annotated[float, pydantic.Field(gt=0, lt=0.02)] = 1e-3
    """Probability that a normal observation is taken for an anomaly (peaks, quantile)."""
    level: PositiveFloat = 10.0
    """The threshold itself (fixed), in nats."""
    pause: Positive = 10
    """Observations below the threshold after which an event has ended."""
    shortest: Positive = 1
    """Observations; a shorter event does not count."""
    silence: NotNegativeInt = 100
    """Observations after an alarm in which only larger scores raise another."""


SECTIONS = {"data": DataConfig, "model": ModelConfig, "detect": DetectConfig}
MONITORED = ("loss", "forecast_loss", "reconstruction_loss")
"""What training validates: `train.monitor` and `tune.objective` are one of them behind val_."""
