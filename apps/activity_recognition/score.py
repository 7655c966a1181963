"""How good the answers are, how early they are right, and whether the order of frames matters."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Asked, Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks import classification

from .data import check_record
from .floor import floor

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of a clip, after which a stream is asked."""
DRAWN = 8
"""Clips whose attention is drawn."""


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """See `rnnsuite.tasks.classification.score`; also attention over time.

    Args:
        references: records with `values` and `label`.
        answers: `label`, `probabilities` and `weights`, in the same order.
        fitted: what was fitted on train; widths are checked where it is known.

    Returns:
        The score.

    Raises:
        UserError: on unlabelled records, and clips of another width.
    """
    for record in references if fitted else ():
        check_record(record, fitted)
    plots = {"Attention over time": functools.partial(_attention, references, answers)}
    return classification.score(references, answers, _shown, plots)


def _shown(record: Record) -> dict[str, Any]:
    return {
        "clip": as_text(record["id"]) if "id" in record else "",
        "person": as_text(record["person"]) if "person" in record else "",
        "frames": len(record["values"]),
    }


def tables(asked: Asked, records: Sequence[Record]) -> Mapping[str, Any]:
    """How early a stream is right, and what a model says of clips that run backwards."""
    truth = np.array([as_text(record["label"]) for record in records])
    parts = {}
    if "causal" in asked.signatures:
        shares = asked.ask(records, "causal")["probabilities"]
        parts["As a stream"] = [
            {"of the clip": f"{share:.0%}", "accuracy": _accuracy(asked.fitted, truth, rows)}
            for share in SHARES
            if (rows := [_at(probabilities, share) for probabilities in shares])
        ]
    backwards = [{**record, "values": record["values"][::-1]} for record in records]
    reversed_accuracy = _share_right(asked, backwards, truth)
    accuracy = _share_right(asked, records, truth)
    parts["Order of frames"] = [
        {"clips run": "forwards", "accuracy": round(accuracy, 4)},
        {"clips run": "backwards", "accuracy": round(reversed_accuracy, 4)},
    ]
    return parts


def _share_right(asked: Asked, records: Sequence[Record], truth: np.ndarray) -> float:
    labels = asked.ask(records, "serving_default")["label"]
    return float(np.mean([as_text(label) for label in labels] == truth))


def _at(probabilities: np.ndarray, share: float) -> np.ndarray:
    """What was said after this share of a clip."""
    return np.asarray(probabilities)[max(round(share * len(probabilities)), 1) - 1]


def _accuracy(fitted: Any, truth: np.ndarray, rows: Sequence[np.ndarray]) -> float:
    labels = np.array(fitted.labels)[np.argmax(rows, axis=-1)]
    return round(float(np.mean(labels == truth)), 4)


def _attention(references, answers):
    """What moves in a few clips, right and wrong ones, and which steps the answer rests on."""
    from matplotlib.figure import Figure

    truth = [as_text(record["label"]) for record in references]
    answered = [as_text(label) for label in answers["label"]]
    wrong = [i for i in range(len(truth)) if answered[i] != truth[i]][: DRAWN // 2]
    first = {truth[i]: i for i in reversed(range(len(truth))) if answered[i] == truth[i]}
    chosen = [*list(first.values())[: DRAWN - len(wrong)], *wrong]
    rows = -(-len(chosen) // 2)
    figure = Figure(figsize=(10, 1.9 * rows), layout="constrained")
    for place, i in enumerate(chosen):
        axes = figure.add_subplot(rows, 2, place + 1)
        values = references[i]["values"]
        columns = np.argsort(-np.nan_to_num(np.nanstd(values, axis=0)))[:6]
        axes.plot(values[:, columns], lw=0.7)
        weights = np.asarray(answers["weights"][i])
        edges = np.linspace(0, len(values), len(weights) + 1)
        axes.twinx().stairs(weights, edges, color="black")
        name = truth[i] + ("" if answered[i] == truth[i] else f" (answer: {answered[i]})")
        axes.set_title(name, fontsize="small")
        if place >= len(chosen) - 2:
            axes.set_xlabel("frame (black: attention)")
    return figure


SCORING = Scoring(
    score=score, metrics=classification.METRICS, primary="accuracy", tables=tables, floor=floor
)
