"""How good captions are, and what the model looked at."""

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.inputs import image_files
from rnnsuite.tasks.generation import caption_score

from .data import Fitted
from .floor import floor

SHOWN = 4  # pictures whose attention is drawn
CASES = 6  # pictures of the best and of the worst captions


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Fitted | None = None,
) -> Score:
    """See `rnnsuite.tasks.generation.caption_score.score`; also pictures with their captions.

    Args:
        references: records with `image` and `captions`.
        answers: `caption`, in the same order.
        fitted: knows the training captions.

    Returns:
        The score.

    Raises:
        UserError: on an image without captions.
    """

    def drawn(captions, order):
        chosen = {
            "Highest CIDEr": _different(order, captions),
            "Lowest CIDEr": _different(order[::-1], captions),
        }
        return {
            title: functools.partial(_gallery, references, captions, places)
            for title, places in chosen.items()
        }

    return caption_score.score(references, answers, fitted, drawn)


def _different(order: Sequence[int], captions: Sequence[str]) -> list[int]:
    """The first few of which no two have the same caption."""
    first: dict[str, int] = {}
    for i in order:
        first.setdefault(captions[i], i)
    return list(first.values())[:CASES]


def _gallery(references, captions, chosen):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.4), layout="constrained")
    for axes, i in zip(figure.subplots(2, 3).ravel(), chosen, strict=False):
        axes.imshow(image_files.pixels(references[i]["image"]))
        axes.set_title(textwrap.fill(captions[i], 48), fontsize=8)
    for axes in figure.axes:
        axes.set_axis_off()
    return figure


def figures(ask: Callable, records: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[], Any]]:
    """The attention of some captions over their images, word by word."""
    places = np.linspace(0, len(records) - 1, min(SHOWN, len(records))).round().astype(int)

    def draw(record):
        found = ask([record], "attend")
        return _attention(image_files.pixels(record["image"]), found["words"][0], found["maps"][0])

    titled = {f"Attention {number}": records[place] for number, place in enumerate(places, 1)}
    return {title: functools.partial(draw, record) for title, record in titled.items()}


def _attention(pixels, words, maps):
    from matplotlib.figure import Figure

    columns = 5
    rows = -(-(len(words) + 1) // columns)
    figure = Figure(figsize=(2 * columns, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    panels[0].imshow(pixels)
    height, width = pixels.shape[:2]
    for axes, word, shares in zip(panels[1:], words, maps, strict=False):
        axes.imshow(pixels)
        axes.imshow(
            shares,
            cmap="magma",
            alpha=0.65,
            extent=(0, width, height, 0),
            interpolation="bilinear",
            vmin=0,
        )
        axes.set_title(as_text(word).replace("▁", "") or "·", fontsize=9)
    for axes in panels:
        axes.set_axis_off()
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
