"""How good the answers are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks import classification
from rnnsuite.tasks.text_floor import naive_bayes_floor

from .config import DataConfig
from .data import Fitted, load

SHOWN = 1500
"""Characters of a text beside its case."""


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """See `rnnsuite.tasks.classification.score`; records have `text` and `label`."""
    return classification.score(references, answers, _describe)


def _describe(record: Record) -> dict[str, str]:
    return {"text": as_text(record["text"])[:SHOWN]}


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """See `rnnsuite.tasks.text_floor`; learned from the training records."""
    train = list(load(config, "train").as_numpy_iterator())
    pairs = [
        (
            [as_text(record["text"]) for record in part],
            [as_text(record["label"]) for record in part],
        )
        for part in (train, records)
    ]
    return naive_bayes_floor(*pairs[0], *pairs[1])


SCORING = Scoring(score=score, metrics=classification.METRICS, primary="accuracy", floor=floor)
