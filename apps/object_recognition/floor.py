"""What a linear model of a small picture and its colours says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks import classification, pictures

from .config import DataConfig
from .data import Fitted, load

SIDE = 16
"""Pixels of a side of the small picture, at most."""
PICTURES = 5000
"""Of train that it learns from, at most."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of a logistic regression of small pictures and colour histograms.

    Args:
        config: the source whose training part it learns.
        fitted: gives the size of pictures.
        records: what is scored.

    Returns:
        The name under `model`, and the metrics.
    """
    records_of_train = list(load(config, "train").take(PICTURES).as_numpy_iterator())
    side = min(SIDE, fitted.size)
    x = np.stack([pictures.small(record["image"], side) for record in records_of_train])
    labels = [as_text(record["label"]) for record in records_of_train]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    model.fit(x, labels)
    queries = np.stack([pictures.small(record["image"], side) for record in records])
    truth = [as_text(record["label"]) for record in records]
    name = "logistic regression of a small picture and its colours"
    return {"model": name, **classification.agreement(truth, model.predict(queries))}
