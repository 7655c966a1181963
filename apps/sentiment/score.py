"""How good the answers are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks import classification

SHOWN = 1500
"""Characters of a text beside its case."""


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """See `rnnsuite.tasks.classification.score`; records have `text` and `label`."""
    return classification.score(references, answers, _describe)


def _describe(record: Record) -> dict[str, str]:
    return {"text": as_text(record["text"])[:SHOWN]}


SCORING = Scoring(score=score, metrics=classification.METRICS, primary="accuracy")
