"""What cheap detectors reach: an isolation forest of single observations, a windowed Gaussian."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from rnnsuite.core.fields import Record
from rnnsuite.data.channels import runs
from rnnsuite.device.events import Event
from rnnsuite.tasks.detection import events, nab, ranges
from rnnsuite.tasks.detection.matching import Matches, by_overlap
from rnnsuite.tasks.detection.naive import windowed_gaussian

from .config import DataConfig
from .data import Fitted, load

OBSERVATIONS = 50_000
"""Of train, on which the forest is fitted."""
THRESHOLDS = 60
"""That are tried, to find the best."""
PAUSE = 10
"""Observations after which an event has ended. Longer ones are not tried: an event over a whole
series touches each of its anomalies."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of the better of both, with the threshold that is best for it on these records.

    Args:
        config: the source whose training part the forest learns.
        fitted: gives the channels.
        records: what is scored.
    """
    return max(floors(config, fitted, records), key=lambda result: result["f1"])


def floors(
    config: DataConfig, fitted: Fitted, records: Sequence[Record]
) -> list[Mapping[str, Any]]:
    """The name under `model` and the metrics of each; see `floor`."""
    forest = _forest(config, fitted)
    scored = list(fitted.scored)

    def isolation(record: Record) -> np.ndarray:
        return -forest.score_samples(_filled(record["values"][:, scored]))

    def gaussian(record: Record) -> np.ndarray:
        columns = [windowed_gaussian(record["values"][:, place]) for place in scored]
        return np.max(columns, axis=0)

    results = []
    detectors = {
        "isolation forest of single observations": isolation,
        "windowed Gaussian": gaussian,
    }
    for name, detector in detectors.items():
        scores = [detector(record)[int(record["begin"]) :] for record in records]
        labels = [record["labels"][int(record["begin"]) :] == 1 for record in records]
        results.append({"model": name, **_metrics(scores, labels)})
    return results


def _forest(config: DataConfig, fitted: Fitted) -> IsolationForest:
    values = np.concatenate(
        [record["values"] for record in load(config, "train").as_numpy_iterator()]
    )[:, list(fitted.scored)]
    if len(values) > OBSERVATIONS:
        chosen = np.random.default_rng(0).choice(len(values), OBSERVATIONS, replace=False)
        values = values[np.sort(chosen)]
    return IsolationForest(random_state=0).fit(_filled(values))


def _filled(values: np.ndarray) -> np.ndarray:
    """Missing values as 0: a forest knows none."""
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _metrics(scores: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> dict[str, float]:
    whole = np.concatenate(scores)
    truth = np.concatenate(labels)
    corpus = [
        nab.Scored(part, [(int(a), int(b)) for a, b in runs(flags)], begin=0)
        for part, flags in zip(scores, labels, strict=True)
    ]
    levels = np.unique(np.quantile(whole, 1 - np.geomspace(1e-4, 0.3, THRESHOLDS)))
    best = max((_matches(scores, labels, level) for level in levels), key=lambda match: match.f1)
    return {
        "f1": best.f1,
        "precision": best.precision,
        "recall": best.recall,
        "auc_pr": float(np.nan_to_num(ranges.average_precision(whole, truth))),
        "nab_standard": nab.sweep(corpus, nab.PROFILES["standard"]).score,
    }


def _matches(
    scores: Sequence[np.ndarray], labels: Sequence[np.ndarray], threshold: float
) -> Matches:
    total = Matches()
    for part, flags in zip(scores, labels, strict=True):
        alarms = _events(events.spans(part >= threshold, PAUSE, 1))
        total += by_overlap(alarms, _events(runs(flags)))
    return total


def _events(spans: Iterable[tuple[int, int]]) -> list[Event]:
    return [Event(events.ANOMALY, float(first), float(last), 1.0) for first, last in spans]
