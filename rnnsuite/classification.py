"""How good answers with one class each are: what every classifying application scores and draws."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from rnnsuite.app import Score
from rnnsuite.errors import UserError


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    plots: Mapping[str, Callable[[], Any]] | None = None,
) -> Score:
    """Accuracy and macro-averaged F1, confusion and confidence plots, and the surest right and wrong answers.

    references: records with `label`; answers: `label` and `probabilities`, in the same order.
    shown: what of a record stands beside its case. plots: the application's own, drawn after these.
    Raises UserError on unlabelled records.
    """
    truth = np.array([text(record["label"]) for record in references])
    if "" in truth:
        raise UserError("This split has records without a label; nothing can be scored. Choose another with --split.")
    given = np.array([text(label) for label in answers["label"]])
    confidence = np.asarray(answers["probabilities"]).max(axis=-1)
    right = truth == given
    cases = [
        {
            **shown(references[i]), "label": truth[i], "answer": given[i],
            "confidence": round(float(confidence[i]), 4),
        }
        for i in np.argsort(-confidence, kind="stable")
    ]  # fmt: skip
    was_right = {True: [], False: []}
    for case in cases:
        was_right[bool(case["label"] == case["answer"])].append(case)
    return Score(
        metrics={
            "accuracy": float(metrics.accuracy_score(truth, given)),
            "macro_f1": float(metrics.f1_score(truth, given, average="macro")),
        },
        plots={
            "Confusion": functools.partial(_confusion, truth, given),
            "Confidence": functools.partial(_confidence, confidence, right),
            **(plots or {}),
        },
        right=was_right[True],
        wrong=was_right[False],
    )


def text(value: Any) -> str:
    """A string of a record, which may be bytes."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _confusion(truth, given):
    from matplotlib.figure import Figure

    classes = len(set(truth) | set(given))
    side = max(4.0, 0.55 * classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    rotation = 0 if classes < 5 else 60
    metrics.ConfusionMatrixDisplay.from_predictions(
        truth, given, ax=axes, cmap="Blues", colorbar=False, xticks_rotation=rotation
    )
    return figure


def _confidence(confidence, right):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(confidence.min(), 1, 21)
    axes.hist([confidence[right], confidence[~right]], bins=bins, stacked=True, label=["right", "wrong"])
    axes.set(xlabel="confidence (highest probability)", ylabel="answers")
    axes.legend()
    return figure
