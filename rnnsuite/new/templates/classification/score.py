"""How good the answers are, beside a cheap floor: the class whose mean series' mean is nearest."""

import numpy as np

from rnnsuite.app import Scoring
from rnnsuite.core.text import as_text
from rnnsuite.tasks import classification

from .data import load


def score(references, answers, fitted):
    """Accuracy, macro F1, a table and plots; see `rnnsuite.tasks.classification.score`."""
    return classification.score(references, answers, _shown)


def _shown(record):
    return {"id": as_text(record["id"]), "steps": len(record["series"])}


def floor(config, fitted, records):
    """The nearest mean of a class, of each series' own mean."""
    means = {}
    for record in load(config, "train").as_numpy_iterator():
        means.setdefault(as_text(record["label"]), []).append(record["series"].mean(axis=0))
    names = sorted(means)
    centres = np.stack([np.mean(means[name], axis=0) for name in names])
    found = [
        names[np.abs(centres - record["series"].mean(axis=0)).sum(axis=-1).argmin()]
        for record in records
    ]
    right = [name == as_text(record["label"]) for name, record in zip(found, records, strict=True)]
    return {"model": "nearest class mean", "accuracy": float(np.mean(right))}


SCORING = Scoring(score=score, metrics=classification.METRICS, primary="accuracy", floor=floor)
