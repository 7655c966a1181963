"""How sure a score is: intervals by the bootstrap."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.progress import bar

COVERED = 0.95


def intervals(
    records: Sequence[Record],
    answers: Mapping[str, Sequence[Any]],
    score: Callable[[list[Record], dict[str, list[Any]]], Score],
    count: int,
    seed: int = 0,
    diversity: Sequence[str] = (),
) -> dict[str, list[float]]:
    """The 95 % interval of every metric: its percentiles over drawn sets of records.

    Each set has as many records as there are, drawn with replacement (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, chapter 13). It tells how far the score would move with
    other records of the same kind, not with another training.

    Args:
        records: that were scored.
        answers: columns with a value for each.
        score: of records and their answers.
        count: sets; 1000 are usual.
        seed: of the draws.
        diversity: metrics to leave out: records that are drawn twice make less of what they count.

    Returns:
        [low, high] by metric.

    Raises:
        UserError: where answers are not one for each record.
    """
    if any(len(column) != len(records) for column in answers.values()):
        raise UserError("--bootstrap: this application's answers are not one for each record.")
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in bar(range(count), desc="bootstrap", unit="set"):
        rows = rng.integers(len(records), size=len(records)).tolist()
        resampled = {name: [column[row] for row in rows] for name, column in answers.items()}
        for name, value in score([records[row] for row in rows], resampled).metrics.items():
            drawn.setdefault(name, []).append(value)
    tail = (1 - COVERED) / 2
    finite = {name: [v for v in values if math.isfinite(v)] for name, values in drawn.items()}
    return {
        name: [float(edge) for edge in np.quantile(values or [math.nan], [tail, 1 - tail])]
        for name, values in finite.items()
        if name not in diversity
    }
