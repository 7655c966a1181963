"""How good the answers are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite import classification
from rnnsuite.app import Score


def score(references: Sequence[Mapping[str, Any]], answers: Mapping[str, np.ndarray], fitted: Any = None) -> Score:
    """Accuracy and macro-averaged F1, confusion and confidence plots, and the surest right and wrong answers.

    references: records with `text` and `label`; answers: `label` and `probabilities`, in the same order.
    Raises UserError on unlabelled records.
    """
    return classification.score(
        references, answers, lambda record: {"text": classification.text(record["text"])[:1500]}
    )
