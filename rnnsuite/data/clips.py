"""Clips: what one person does once, as numbers frame by frame."""

import dataclasses

import numpy as np

from rnnsuite.core.section import NotNegativeInt, Positive, section
from rnnsuite.data.recordings import RecordingsConfig


@section
class ClipsConfig(RecordingsConfig):
    """Where clips come from."""

    classes: tuple[str, ...] = ()
    """Those that are read; empty for all."""
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    """Names for labels that are numbers."""
    select: str = ""
    """Of a .npz file: a boolean array that says which clips are read; empty for all."""
    coordinates: NotNegativeInt = 0
    """Numbers of a joint that are read, the first ones; 0 for all."""
    window: Positive = 128
    """Samples of a clip that is cut out of a labelled interval of a recording."""
    step: Positive = 64
    """Samples from one such clip to the next."""
    people: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Who is in validation and in test, by split; everybody else is in train."""
    refit: bool = False
    """Whether people of validation are trained on too, once settings and epochs were chosen on
    them; what is measured of them says nothing then."""


@dataclasses.dataclass(frozen=True)
class Clip:
    """One clip.

    Args:
        id: its name.
        person: whose it is, or what else it has in common with others; its id where not known.
        label: its class, or "".
        values: float32 `[frames, features]`, or of a skeleton `[frames, joints, coordinates]`; NaN
            where a number is missing.
    """

    id: str
    person: str
    label: str
    values: np.ndarray
