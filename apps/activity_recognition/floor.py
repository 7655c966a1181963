"""What linear models of a clip's statistics, and of its mean frame, say."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.layers.skeleton import Skeleton
from rnnsuite.tasks import classification

from .config import DataConfig
from .data import Fitted, load

BANDS = 8
"""Of the spectrum."""
COLUMNS = 400
"""Features of a frame up to which its statistics are taken, too."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of the better one, on these records; see `floors`."""
    return max(floors(config, fitted, records), key=lambda result: result["accuracy"])


def floors(
    config: DataConfig, fitted: Fitted, records: Sequence[Record]
) -> list[Mapping[str, Any]]:
    """A ridge of mean frames, and a logistic regression of mean, deviation, range and log spectrum
    of every feature. Of a skeleton these are places and velocities, as the network reads them, and
    a mean velocity tells how far a joint went.

    Args:
        config: the source whose training part they learn.
        fitted: gives what a frame holds.
        records: what is scored.

    Returns:
        The name under `model`, and the metrics, of each.
    """
    records_of_train = list(load(config, "train").as_numpy_iterator())
    labels = [as_text(record["label"]) for record in records_of_train]
    truth = [as_text(record["label"]) for record in records]
    features = [_features(fitted, record["values"]) for record in records_of_train]
    scored = [_features(fitted, record["values"]) for record in records]
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    kinds = {
        "ridge of the mean frame": (mean_frame, make_pipeline(StandardScaler(), RidgeClassifier())),
        "logistic regression of statistics": (statistics, linear),
    }
    results = []
    for name, (describe, model) in kinds.items():
        model.fit(np.stack([describe(x) for x in features]), labels)
        answers = model.predict(np.stack([describe(x) for x in scored]))
        results.append({"model": name, **classification.agreement(truth, answers)})
    return results


def _features(fitted: Fitted, values: np.ndarray) -> np.ndarray:
    """What the network reads of every frame, with means where numbers are missing."""
    if fitted.joints:
        skeleton = Skeleton(fitted.joints, fitted.root, fitted.bones, fitted.smooth)
        skeleton.build((None, None, fitted.width))
        return skeleton(values[None]).numpy()[0]
    missing = 0.0 if fitted.scaling == "length" else np.array(fitted.mean, np.float32)
    return np.where(np.isfinite(values), values, missing)


def mean_frame(x: np.ndarray) -> np.ndarray:
    """The mean of `[frames, features]` over time."""
    return x.mean(axis=0)


def statistics(x: np.ndarray) -> np.ndarray:
    """Mean, deviation and range of each feature over time, and its spectrum in a few bands."""
    x = x[:, :COLUMNS]
    spectrum = np.abs(np.fft.rfft(x - x.mean(axis=0), n=max(len(x), 2 * BANDS), axis=0))[1:]
    bands = [np.log(band.mean(axis=0) + 1e-3) for band in np.array_split(spectrum, BANDS)]
    return np.concatenate([x.mean(axis=0), x.std(axis=0), np.ptp(x, axis=0), *bands])
