"""Whether an exported form is as good as the model: bounds on differences and on the score."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Direction
from rnnsuite.core.errors import ExportFailed
from rnnsuite.pipeline.inference.rows import Answers
from rnnsuite.pipeline.settings import Export

REDRAWN = 0.02
"""Share of answers whose draws may fall otherwise than the reference's, by a rounding."""


@dataclasses.dataclass(frozen=True)
class Form:
    """One form of a model and how it answers.

    Args:
        name: such as "saved_model" or "int8.tflite".
        reference: the form that it is compared with; None for the first.
        score: the primary metric; None where the application has no scoring.
        difference: the largest difference of a number, relative to its output's scale above 1.
        unequal: answers that are not numbers and differ.
        size: bytes, of a file.
        redrawn: share of answers in which a draw fell otherwise.
        file: the kind of .tflite file whose bounds it must keep; None where its name says it.
    """

    name: str
    reference: str | None = None
    score: float | None = None
    difference: float | None = None
    unequal: int = 0
    size: int | None = None
    redrawn: float = 0.0
    file: str | None = None

    def report(self, metric: str | None) -> dict[str, Any]:
        """Plain values for the parity report."""
        values: dict[str, Any] = {}
        if self.difference is not None:
            values |= {"largest_difference": self.difference, "unequal": self.unequal}
        if self.redrawn:
            values["redrawn"] = self.redrawn
        if metric and self.score is not None:
            values[metric] = self.score
        return values if self.size is None else {**values, "bytes": self.size}


def largest_difference(expected: Answers, answers: Answers) -> tuple[float, int]:
    """How far answers are from what is expected.

    Args:
        expected: the reference's answers.
        answers: those of a form; names that it lacks are not compared.

    Returns:
        The largest difference of a number, relative to the largest number of its output where that
        is above 1; and how many other values are unequal.
    """
    difference = 0.0
    unequal = 0
    for name, column in answers.items():
        pairs = [same_length(*pair) for pair in zip(column, expected[name], strict=True)]
        if all(np.asarray(value).dtype.kind == "f" for value in column):
            difference = max(difference, _relative_difference(pairs))
        else:
            unequal += sum(not np.array_equal(value, reference) for value, reference in pairs)
    return difference, unequal


def same_length(value: Any, reference: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two lists, the longer one without padding that the shorter one lacks.

    Lists of words are as long as the longest in their batch; zeros or empty texts stand behind.
    """
    value = np.asarray(value)
    reference = np.asarray(reference)
    if value.ndim != 1 or reference.ndim != 1:
        return value, reference
    size = min(len(value), len(reference))
    is_padding = not (value[size:].astype(bool).any() or reference[size:].astype(bool).any())
    return (value[:size], reference[:size]) if is_padding else (value, reference)


def set_redrawn_aside(
    expected: Answers, answers: Answers, drawn: Sequence[str]
) -> tuple[Answers, float]:
    """Takes draws that fell otherwise for what they are: other texts, as probable as the first.

    A number that lies between two tokens' shares of probability falls to the one or the other by a
    rounding. All that is not drawn must still be equal.

    Args:
        expected: the reference's answers.
        answers: those of a form.
        drawn: names of the outputs that are drawn, and what depends on them.

    Returns:
        The answers, with the reference's drawn outputs in rows where another text was drawn; and
        the share of these rows.
    """
    names = [name for name in drawn if name in answers]
    count = len(next(iter(answers.values())))
    texts = [name for name in names if count and np.asarray(answers[name][0]).dtype.kind in "OSU"]
    turned = [
        any(not np.array_equal(answers[name][row], expected[name][row]) for name in texts)
        for row in range(count)
    ]
    replaced: dict[str, Any] = {
        name: [expected[name][row] if turned[row] else answers[name][row] for row in range(count)]
        for name in names
    }
    return {**dict(answers), **replaced}, sum(turned) / max(count, 1)


def _relative_difference(pairs: list) -> float:
    largest = 0.0
    scale = 1.0
    for value, reference in pairs:
        value = np.asarray(value, np.float64)
        reference = np.asarray(reference, np.float64)
        if value.shape != reference.shape:
            return float("inf")
        if not value.size:
            continue
        same = (value == reference) | (np.isnan(value) & np.isnan(reference))
        with np.errstate(invalid="ignore"):
            distance = np.where(same, 0.0, np.abs(value - reference))
        largest = max(largest, float(np.max(np.nan_to_num(distance, nan=np.inf))))
        finite = reference[np.isfinite(reference)]
        scale = max(scale, float(np.max(np.abs(finite), initial=0.0)))
    return largest / scale


def is_worse(score: float, reference: float, direction: Direction, tolerance: float) -> bool:
    """True where a score loses more than `tolerance` of the reference's size.

    Args:
        score: of the form.
        reference: of what it must equal.
        direction: whether the metric is better when lower or higher.
        tolerance: share of the reference's absolute value.

    Returns:
        Also true for a score that is no number where the reference is one.
    """
    if np.isnan(reference) and np.isnan(score):
        return False
    loss = reference - score if direction == "max" else score - reference
    return not loss <= tolerance * abs(reference) + 1e-12


def check(
    forms: Mapping[str, Form], bounds: Export, direction: Direction | None, metric: str | None
) -> None:
    """Raises ExportFailed that names every form over its bound."""
    limits = {"saved_model": bounds.saved_model_bound, "float32.tflite": bounds.lite_bound}
    tolerances = {"keras": bounds.float16_tolerance, "int8.tflite": bounds.int8_tolerance}
    faults = []
    for name, form in forms.items():
        kind = form.file or name
        limit = limits.get(kind)
        if (
            limit is not None
            and form.difference is not None
            and not (form.difference <= limit and not form.unequal)
        ):
            faults.append(
                f"{name}: answers differ by up to {form.difference:.2g} (bound {limit:g}), "
                f"{form.unequal} are unequal"
            )
        if limit is not None and form.redrawn > REDRAWN:
            faults.append(f"{name}: {form.redrawn:.0%} of what is drawn is another text")
        reference = forms[form.reference].score if form.reference else None
        if form.score is None or reference is None or direction is None:
            continue
        tolerance = tolerances.get(kind, bounds.dynamic_tolerance)
        if is_worse(form.score, reference, direction, tolerance):
            faults.append(f"{name}: {metric} {form.score:.4f}, the Keras model has {reference:.4f}")
    if faults:
        raise ExportFailed(
            "The export does not answer as the model does. " + "; ".join(faults) + "."
        )
