"""What a logistic regression of each step's surroundings finds."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.tasks.detection import events

from .config import DataConfig
from .data import Fitted, active, load

PARTS = 12
"""Of a window of the model: one is what a step is classified by."""
STEPS = 20_000
"""Of train, on which it is fitted."""
BANDS = 12
"""Of the spectrum."""
THRESHOLDS = (0.3, 0.5)
PAUSES = (0.03, 0.2, 0.5)
SHORTEST = (0.0, 0.3, 0.8)
"""Rules that are tried, to find the best: mean probability, and seconds."""


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of a logistic regression of mean, deviation, range and log spectrum of each
    channel around each step, by the rules that are best for it on these very records.

    Args:
        config: the source whose training part it learns.
        fitted: gives classes and steps.
        records: what is scored.
    """
    from .score import score

    rows = []
    numbers = []
    for record in load(config, "train").as_numpy_iterator():
        features = surroundings(record["values"], fitted)
        rows.append(features)
        numbers.append(_classes(fitted, record, len(features)))
    x = np.concatenate(rows)
    y = np.concatenate(numbers)
    if len(x) > STEPS:
        chosen = np.random.default_rng(0).choice(len(x), STEPS, replace=False)
        x = x[chosen]
        y = y[chosen]
    if len(np.unique(y)) < 2:
        return {}
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(x, y)
    probabilities = [_shares(model, fitted, record["values"]) for record in records]
    results = []
    for threshold, pause, shortest in itertools.product(THRESHOLDS, PAUSES, SHORTEST):
        rules = events.Rules(threshold, fitted.steps(pause), fitted.steps(shortest))
        answers: dict[str, list] = {"event": [], "confidence": [], "probabilities": probabilities}
        for rows in probabilities:
            for name, value in events.of_rows(rows, rules).items():
                answers[name].append(value)
        results.append(score(records, answers, fitted).metrics)
    best = max(results, key=lambda metrics: metrics["f1"])
    return {"model": "logistic regression of each step's surroundings", **best}


def _shares(model: Any, fitted: Fitted, values: np.ndarray) -> np.ndarray:
    """Probabilities `[time, 1 + labels]`; classes that are no events belong to the background."""
    shares = np.zeros([len(values) // fitted.hop, 1 + len(fitted.classes)])
    shares[:, model.classes_] = model.predict_proba(surroundings(values, fitted))
    named = shares[:, 1 : 1 + len(fitted.labels)]
    return np.concatenate([1 - named.sum(axis=1, keepdims=True), named], axis=1)


def _classes(fitted: Fitted, record: Record, steps: int) -> np.ndarray:
    """The number of each step's class, 0 of the background."""
    flags = active(fitted, record, steps)
    return np.where(flags.any(axis=1), 1 + flags.argmax(axis=1), 0)


def surroundings(values: np.ndarray, fitted: Fitted) -> np.ndarray:
    """Features of the samples around each step `[time, features]`."""
    size = max(fitted.window // PARTS, 2) * fitted.hop
    steps = len(values) // fitted.hop
    scaled = (values - np.array(fitted.mean)) / np.array(fitted.deviation)
    before = (size - fitted.hop) // 2
    padded = np.pad(scaled, ((before, size - before), (0, 0)), mode="edge")
    cut = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)[:: fitted.hop][:steps]
    parts = []
    for begin in range(0, steps, 4096):
        piece = np.ascontiguousarray(cut[begin : begin + 4096])  # [steps, channels, size]
        spectrum = np.abs(np.fft.rfft(piece - piece.mean(axis=-1, keepdims=True)))[..., 1:]
        bands = [
            band.mean(axis=-1) for band in np.array_split(spectrum, BANDS, axis=-1) if band.size
        ]
        columns = [piece.mean(axis=-1), piece.std(axis=-1), np.ptp(piece, axis=-1)]
        columns += [np.log(band + 1e-3) for band in bands]
        parts.append(np.concatenate(columns, axis=1))
    return np.concatenate(parts)
