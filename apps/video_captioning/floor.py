"""The caption of the nearest training video."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.fields import Record
from rnnsuite.tasks.generation.nearest import nearest_caption

from .config import DataConfig
from .data import Fitted, load


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of saying of each video what is said of the training video whose mean frame has
    the largest cosine.

    Args:
        config: the source whose training part is looked in.
        fitted: knows the training captions.
        records: what is scored.

    Returns:
        The name under `model`, and metrics.
    """
    train = list(load(config, "train").as_numpy_iterator())
    means, queries = (
        np.stack([mean_frame(record["features"]) for record in part]) for part in (train, records)
    )
    metrics = nearest_caption(train, means, records, queries, fitted)
    return {"model": "caption of the nearest training video", **metrics}


def mean_frame(features: np.ndarray) -> np.ndarray:
    """The mean of the frames that are there, of length 1."""
    frames = features[np.any(features != 0, axis=1)]
    mean = frames.mean(axis=0) if len(frames) else features[0]
    return mean / max(float(np.linalg.norm(mean)), 1e-9)
