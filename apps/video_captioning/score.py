"""How good captions are, and which frames their words saw."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.tasks.generation import caption_score

from .data import Fitted, check_record
from .floor import floor

SHOWN = 4
"""Videos whose attention is drawn."""


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Fitted | None = None,
) -> Score:
    """See `rnnsuite.tasks.generation.caption_score.score`.

    Args:
        references: records with `features` and `captions`.
        answers: `caption`, in the same order.
        fitted: knows the training captions, and what a frame holds.

    Returns:
        The score.

    Raises:
        UserError: on a video without captions, and features of another width than the model's.
    """
    for record in references if fitted else ():
        check_record(record, fitted)
    return caption_score.score(references, answers, fitted)


def figures(ask: Callable, records: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[], Any]]:
    """The attention of some captions over frames, word by word."""
    places = np.linspace(0, len(records) - 1, min(SHOWN, len(records))).round().astype(int)

    def draw(record):
        answer = ask([record], "attend")
        words = [as_text(word).replace("▁", "") or "·" for word in answer["words"][0]]
        return _attention(words, np.asarray(answer["weights"][0]))

    titled = {f"Attention {number}": records[place] for number, place in enumerate(places, 1)}
    return {title: functools.partial(draw, record) for title, record in titled.items()}


def _attention(words: Sequence[str], weights: np.ndarray):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.28 * len(words) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(weights, cmap="magma", vmin=0, aspect="auto")
    axes.set_yticks(range(len(words)), words, fontsize="small")
    axes.set_xlabel("frame")
    return figure


SCORING = Scoring(
    score=score,
    metrics=caption_score.METRICS,
    primary="bleu_4",
    every_epoch=caption_score.EVERY_EPOCH,
    figures=figures,
    require=caption_score.require,
    floor=floor,
    diversity=caption_score.DIVERSITY,
)
