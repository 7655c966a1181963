"""What a linear model of a small picture and its colours says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs import image_files

from .config import DataConfig
from .data import Fitted, load

SIDE = 16
"""Pixels of a side of the small picture, at most."""
LEVELS = 4
"""Of each colour in the histogram."""
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
    x = np.stack([features(record["image"], side) for record in records_of_train])
    labels = [as_text(record["label"]) for record in records_of_train]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    model.fit(x, labels)
    answers = model.predict(np.stack([features(record["image"], side) for record in records]))
    truth = [as_text(record["label"]) for record in records]
    return {
        "model": "logistic regression of a small picture and its colours",
        "accuracy": float(metrics.accuracy_score(truth, answers)),
        "macro_f1": float(metrics.f1_score(truth, answers, average="macro")),
    }


def features(content: bytes, side: int) -> np.ndarray:
    """Pixels of a picture shrunk to a square, and the shares of its colours."""
    from PIL import Image

    pixels = image_files.pixels(content)
    small = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))
    numbers = pixels.astype(int) * LEVELS // 256
    places = (numbers * (LEVELS**2, LEVELS, 1)).sum(axis=-1)
    counts = np.bincount(places.ravel(), minlength=LEVELS**3)
    return np.concatenate([small.ravel() / 255, np.sqrt(counts / counts.sum())])
