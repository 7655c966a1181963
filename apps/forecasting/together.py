"""Records and answers of several series side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnnsuite.core.fields import Record


def separate(
    references: Sequence[Record], answers: Mapping[str, np.ndarray]
) -> tuple[Sequence[Record], Mapping[str, np.ndarray]]:
    """Forecasts of several series together as forecasts of one series each."""
    if not len(references) or references[0]["truth"].ndim == 1:
        return references, answers
    count = references[0]["truth"].shape[1]
    alone = [
        {
            **record,
            **{name: record[name][:, place] for name in ("values", "truth")},
            **{name: record[name][place] for name in ("id", "deviation", "seasonal_error")},
        }
        for record in references
        for place in range(count)
    ]
    shared = {
        name: np.repeat(np.asarray(column), count, axis=0)
        for name, column in answers.items()
        if name not in ("mean", "quantiles")
    }
    own = {
        name: np.concatenate(np.moveaxis(np.asarray(answers[name]), 2, 1))
        for name in ("mean", "quantiles")
        if name in answers
    }
    return alone, {**shared, **own}
