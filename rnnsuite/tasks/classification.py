"""Classification: what every application that answers with one class of several shares."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn import metrics

from rnnsuite.app import Direction, Score
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text

LABELS = "labels.txt"
"""The file with the class names, one a line, that lies beside .tflite files."""
ABSENT: Any = 0.0
"""Precision of a class that is never answered, and recall of one that has no record."""
SHOWN = 3
"""Classes that a person is shown of an answer."""
METRICS: Mapping[str, Direction] = {"accuracy": "max", "macro_f1": "max"}
"""What `score` gives."""


@dataclasses.dataclass(frozen=True)
class ClassAnswer:
    """A record's class, and the probability of every class in the order of labels.txt."""

    label: str
    probabilities: tuple[float, ...]


def agreement(truth: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """Accuracy and macro F1 of labels."""
    return {
        "accuracy": float(metrics.accuracy_score(truth, labels)),
        "macro_f1": float(metrics.f1_score(truth, labels, average="macro", zero_division=ABSENT)),
    }


def is_correct(scores: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """1.0 where the highest of the scores `[batch, classes]` is that of the class number."""
    highest = tf.argmax(scores, axis=-1, output_type=tf.int32)
    return tf.cast(tf.equal(highest, numbers), tf.float32)


def loss(numbers: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> dict[str, tf.Tensor]:
    """Cross-entropy (nats) and correctness of each row.

    Args:
        numbers: class numbers `[batch]`.
        logits: `[batch, classes]`.
        smoothing: see `cross_entropy`.

    Returns:
        `loss` and `accuracy`, `[batch]` each.
    """
    return {
        "loss": cross_entropy(numbers, logits, smoothing),
        "accuracy": is_correct(logits, numbers),
    }


def cross_entropy(numbers: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Cross-entropy in nats.

    Args:
        numbers: class numbers `[...]`.
        logits: `[..., classes]`.
        smoothing: share of probability that is spread evenly over the classes (arXiv 1512.00567,
            section 7).

    Returns:
        `[...]`.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, logits)
    if not smoothing:
        return entropy
    even = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
    return (1 - smoothing) * entropy + smoothing * even


def probabilities(outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """A model's `logits` as `probabilities`, and its attention `weights`."""
    return {"probabilities": tf.nn.softmax(outputs["logits"]), "weights": outputs["weights"]}


def with_label(labels: Sequence[str], answer: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """An answer with the name of the most probable class in front."""
    highest = tf.argmax(answer["probabilities"], axis=-1)
    return {"label": tf.gather(tf.constant(labels), highest), **answer}


def labels_file(labels: Sequence[str]) -> bytes:
    """The content of labels.txt."""
    return "".join(f"{label}\n" for label in labels).encode()


def read_labels(folder: pathlib.Path) -> list[str]:
    """The class names in a device folder, in the order of their numbers."""
    return (folder / LABELS).read_text(encoding="utf-8").splitlines()


def device_answer(labels: Sequence[str], outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The answer in a .tflite file's outputs for a batch of one."""
    row = outputs["probabilities"][0]
    return {"label": labels[int(row.argmax())].encode(), "probabilities": row}


def score(
    references: Sequence[Record],
    answers: Mapping[str, np.ndarray],
    describe: Callable[[Record], Mapping[str, Any]],
    plots: Mapping[str, Callable[[], Any]] | None = None,
) -> Score:
    """Accuracy, macro-averaged F1, confusion and confidence plots, and cases.

    Args:
        references: records with `label`.
        answers: `label` and `probabilities`, in the same order.
        describe: what of a record stands beside its case.
        plots: the application's own, drawn after these.

    Returns:
        The score; cases are ordered by confidence.

    Raises:
        UserError: on unlabelled records.
    """
    truth = np.array([as_text(record["label"]) for record in references])
    if "" in truth:
        raise UserError(
            "This split has records without a label; nothing can be scored. Choose another with "
            "--split."
        )
    predicted = np.array([as_text(label) for label in answers["label"]])
    confidence = np.asarray(answers["probabilities"]).max(axis=-1)
    correct = truth == predicted
    cases: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for i in np.argsort(-confidence, kind="stable"):
        case = {
            **describe(references[i]),
            "label": truth[i],
            "answer": predicted[i],
            "confidence": round(float(confidence[i]), 4),
        }
        cases[bool(correct[i])].append(case)
    return Score(
        metrics={
            "accuracy": float(metrics.accuracy_score(truth, predicted)),
            "macro_f1": float(metrics.f1_score(truth, predicted, average="macro")),
        },
        plots={
            "Confusion": functools.partial(_confusion, truth, predicted),
            "Confidence": functools.partial(_confidence, confidence, correct),
            **(plots or {}),
        },
        tables={"By class": _by_class(truth, predicted)},
        right=cases[True],
        wrong=cases[False],
    )


def _by_class(truth: np.ndarray, predicted: np.ndarray) -> list[dict[str, Any]]:
    """Precision, recall and F1 of every class, and how many records it has."""
    names = sorted(set(truth) | set(predicted))
    columns: Any = metrics.precision_recall_fscore_support(
        truth, predicted, labels=names, zero_division=ABSENT
    )
    return [
        {
            "class": str(name),
            "precision": float(precision),
            "recall": float(recall),
            "F1": float(f1),
            "records": int(count),
        }
        for name, precision, recall, f1, count in zip(names, *columns, strict=True)
    ]


def show(fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """An answer for a person: the most probable classes by name, and each token's attention.

    Args:
        fitted: what was fitted on train, with `labels`.
        answer: with `probabilities`, and perhaps `tokens` and their `weights`.

    Returns:
        A line for the classes, and one for the tokens where there are some.
    """
    pairs = zip(fitted.labels, answer["probabilities"], strict=True)
    ranked = sorted(pairs, key=lambda pair: -pair[1])[:SHOWN]
    lines = ["  ".join(f"{label} {probability:.3f}" for label, probability in ranked)]
    if "tokens" in answer:
        words = zip(answer["tokens"], answer["weights"], strict=True)
        lines.append(
            "attention: " + " ".join(f"{word} {weight:.2f}" for word, weight in words if word)
        )
    return lines


def _confusion(truth, predicted):
    from matplotlib.figure import Figure

    classes = len(set(truth) | set(predicted))
    side = max(4.0, 0.55 * classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    rotation: Any = 0 if classes < 5 else 60
    metrics.ConfusionMatrixDisplay.from_predictions(
        truth,
        predicted,
        ax=figure.subplots(),
        cmap="Blues",
        colorbar=False,
        xticks_rotation=rotation,
    )
    return figure


def _confidence(confidence, correct):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(confidence.min(), 1, 21)
    parts = [confidence[correct], confidence[~correct]]
    axes.hist(parts, bins=bins, stacked=True, label=["right", "wrong"])
    axes.set(xlabel="confidence (highest probability)", ylabel="answers")
    axes.legend()
    return figure
