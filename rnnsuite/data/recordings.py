"""Recordings of one or several channels, and the events labelled in them."""

import dataclasses
from typing import Literal

import numpy as np

from rnnsuite.core.section import NotNegative, section
from rnnsuite.data.source_config import TableConfig


@section
class RecordingsConfig(TableConfig):
    """Where recordings and their annotations come from."""

    record: str = "record"
    """Of the annotations: the column that names the recording, as its file is called."""
    start: str = "start"
    """Of the annotations: the column in which an event begins, or is, where it is a point."""
    end: str = "end"
    """Of the annotations: the column in which it ends; tables without it hold points."""
    label: str = "label"
    """Of the annotations: the column of the class; rows without one are left out."""
    unit: Literal["seconds", "samples"] = "seconds"
    """Of start and end; samples are counted from 0."""
    person: str = "person"
    """Of a table of recordings: whose each is, so that nobody stands in two splits."""
    rate: NotNegative = 0.0
    """Samples a second, where files do not say it (.npy, .npz, tables)."""


@dataclasses.dataclass(frozen=True)
class Labelled:
    """One event that is known.

    Args:
        label: its class.
        first, last: samples; the same one for a point.
    """

    label: str
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Recording:
    """One recording.

    Args:
        id: its name.
        person: whose it is; its name where that is not known.
        rate: samples a second.
        values: float32 `[time, channels]`, finite.
        events: in the order of their beginnings; None without annotations.
    """

    id: str
    person: str
    rate: float
    values: np.ndarray
    events: tuple[Labelled, ...] | None
