"""The caption of the nearest training picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.fields import Record
from rnnsuite.tasks import pictures
from rnnsuite.tasks.generation.nearest import nearest_caption

from .config import DataConfig
from .data import Fitted, load

SIDE = 16
"""Pixels of a side of the small picture."""
PICTURES = 20_000
"""Of train that are looked at, at most."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of saying of each picture what is said of the training picture that is most like
    it, shrunk to 16 x 16 pixels, and in its colours.

    Args:
        config: the source whose training part is looked in.
        fitted: knows the training captions.
        records: what is scored.

    Returns:
        The name under `model`, and metrics.
    """
    train = list(load(config, "train").take(PICTURES).as_numpy_iterator())
    described, queries = (
        np.stack([pictures.small(record["image"], SIDE) for record in part])
        for part in (train, records)
    )
    mean = described.mean(axis=0)
    metrics = nearest_caption(train, described - mean, records, queries - mean, fitted)
    return {"model": "caption of the nearest training picture", **metrics}
