"""How good the answers are, where the model looked, and whether the arrangement of parts
matters."""

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Asked, Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs import image_files
from rnnsuite.tasks import classification

from .config import ReportConfig
from .floor import floor

DRAWN = 8
"""Pictures whose attention is drawn."""
SHUFFLED = 500
"""Pictures at most whose patches are shuffled."""


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """See `rnnsuite.tasks.classification.score`; also attention over pictures.

    Args:
        references: records with `image` and `label`.
        answers: `label`, `probabilities` and `weights`, in the same order.
        fitted: not used.

    Returns:
        The score.

    Raises:
        UserError: on unlabelled records.
    """
    plots = {"Attention": functools.partial(_attention, references, answers)}
    return classification.score(references, answers, _shown, plots)


def _shown(record: Record) -> dict[str, Any]:
    return {"picture": as_text(record["name"]) if "name" in record else ""}


def tables(asked: Asked, records: Sequence[Record]) -> Mapping[str, Any]:
    """What the model says of pictures whose patches are shuffled."""
    grid = next(
        part.grid for part in asked.config.sections.values() if isinstance(part, ReportConfig)
    )
    if not grid:
        return {}
    chosen = records[:SHUFFLED]
    truth = np.array([as_text(record["label"]) for record in chosen])
    rows = []
    shuffled = [
        {**record, "image": shuffle(record["image"], grid, i)} for i, record in enumerate(chosen)
    ]
    for name, asked_of in (("as they are", chosen), (f"{grid} x {grid} shuffled", shuffled)):
        labels = asked.ask(asked_of, "serving_default")["label"]
        accuracy = float(np.mean([as_text(label) for label in labels] == truth))
        rows.append({"patches": name, "accuracy": round(accuracy, 4)})
    return {"Arrangement of patches": rows}


def shuffle(content: bytes, grid: int, seed: int) -> bytes:
    """A picture whose patches stand in another order, as a PNG file.

    Args:
        content: the bytes of its file.
        grid: patches of a side; what is left over at the right and at the bottom stays.
        seed: draws the order.
    """
    from PIL import Image

    pixels = image_files.pixels(content)
    height, width = (side // grid for side in pixels.shape[:2])
    if not height or not width:
        return content
    order = np.random.default_rng(seed).permutation(grid * grid)
    result = pixels.copy()
    for place, other in enumerate(order):
        y, x = divmod(place, grid)
        v, u = divmod(int(other), grid)
        patch = pixels[v * height : (v + 1) * height, u * width : (u + 1) * width]
        result[y * height : (y + 1) * height, x * width : (x + 1) * width] = patch
    stream = io.BytesIO()
    Image.fromarray(result).save(stream, "PNG")
    return stream.getvalue()


def _attention(references, answers):
    """A few pictures, right and wrong ones, and where the model looked."""
    from matplotlib.figure import Figure

    truth = [as_text(record["label"]) for record in references]
    answered = [as_text(label) for label in answers["label"]]
    wrong = [i for i in range(len(truth)) if answered[i] != truth[i]][: DRAWN // 2]
    first = {truth[i]: i for i in reversed(range(len(truth))) if answered[i] == truth[i]}
    chosen = [*list(first.values())[: DRAWN - len(wrong)], *wrong]
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    for axes, i in zip(figure.subplots(2, DRAWN // 2).ravel(), chosen, strict=False):
        pixels = image_files.pixels(references[i]["image"])
        height, width = pixels.shape[:2]
        axes.imshow(pixels)
        axes.imshow(
            np.asarray(answers["weights"][i]),
            cmap="magma",
            alpha=0.5,
            extent=(0, width, height, 0),
            interpolation="bilinear",
            vmin=0,
        )
        name = truth[i] + ("" if answered[i] == truth[i] else f"\n(answer: {answered[i]})")
        axes.set_title(name, fontsize="small")
    for axes in figure.axes:
        axes.set_axis_off()
    return figure


SCORING = Scoring(
    score=score, metrics=classification.METRICS, primary="accuracy", tables=tables, floor=floor
)
