"""How good transcripts are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.tasks.transcription import score as transcription

from .data import Fitted


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Fitted | None = None,
) -> Score:
    """See `rnnsuite.tasks.transcription.score.score`.

    Args:
        references: records with `text` and `speaker`.
        answers: `text`, in the same order.
        fitted: knows the characters that can be answered.

    Returns:
        The score.
    """
    return transcription.score(references, answers, alphabet=fitted.tokens if fitted else ())


SCORING = Scoring(
    score=score,
    metrics=transcription.METRICS,
    primary="wer",
    every_epoch=transcription.EVERY_EPOCH,
)
