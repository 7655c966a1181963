"""How good the answers are."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from rnnsuite.app import Score
from rnnsuite.errors import UserError


def score(references: Sequence[Mapping[str, Any]], answers: Mapping[str, np.ndarray]) -> Score:
    """Accuracy and macro-averaged F1, confusion and confidence plots, and the surest right and wrong answers.

    references: records with `text` and `label`; answers: `label` and `probabilities`, in the same order.
    Raises UserError on unlabelled records.
    """
    truth = np.array([_text(record["label"]) for record in references])
    if "" in truth:
        raise UserError("This split has records without a label; nothing can be scored. Choose another with --split.")
    given = np.array([_text(label) for label in answers["label"]])
    confidence = np.asarray(answers["probabilities"]).max(axis=-1)
    right = truth == given
    cases = [
        {
            "text": _text(references[i]["text"])[:1500], "label": truth[i],
            "answer": given[i], "confidence": round(float(confidence[i]), 4),
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
        },
        right=was_right[True],
        wrong=was_right[False],
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _confusion(truth, given):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    metrics.ConfusionMatrixDisplay.from_predictions(truth, given, ax=axes, cmap="Blues", colorbar=False)
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
