"""What a linear model of a clip's spectrum says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.device.wave import RATE
from rnnsuite.inputs import audio
from rnnsuite.tasks import classification, sounds

from .config import DataConfig
from .data import Fitted, load

HOP = RATE // 50
"""Samples of a step."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of a logistic regression of the mean spectrum of eight parts of a clip.

    Args:
        config: the source whose training part it learns.
        fitted: not used.
        records: what is scored.

    Returns:
        The name under `model`, and the metrics.
    """
    features = audio.LogMel(config.bins)
    train = list(load(config, "train").as_numpy_iterator())
    x, queries = (
        np.stack([sounds.in_parts(record["audio"], features, HOP) for record in part])
        for part in (train, records)
    )
    labels, truth = ([as_text(record["label"]) for record in part] for part in (train, records))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    answers = model.fit(x, labels).predict(queries)
    name = "logistic regression of the spectrum of eight parts"
    return {"model": name, **classification.agreement(truth, answers)}
