"""How well events are found, named and placed in time."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Asked, Direction, Score, Scoring
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.device.events import Event
from rnnsuite.tasks.detection import events, figures
from rnnsuite.tasks.detection.matching import Matches, by_intersection, by_onset, by_overlap, worst

from .data import Fitted, check_record
from .floor import floor

METRICS: Mapping[str, Direction] = {
    "f1": "max",
    "precision": "max",
    "recall": "max",
    "class_f1": "max",
    "onset_error": "min",
    "false_alarms": "min",
}
CASES = 8
"""Misses and false alarms that are told of."""
HOUR = 3600
ANY = "event"


def score(
    references: Sequence[Record], answers: Mapping[str, Any], fitted: Fitted | None = None
) -> Score:
    """Events of any class, by class, and when they begin.

    Args:
        references: records with `events` and `rate`.
        answers: `event`, `confidence` and `probabilities`, in the same order.
        fitted: gives classes, steps, and when an event counts as found.

    Returns:
        The score.

    Raises:
        UserError: for records without annotations, or of another rate than the model's.
    """
    if fitted is None:
        raise UserError("Events are scored by what was fitted on train, which is not known here.")
    parts = _pairs(references, answers, fitted)
    match = functools.partial(matches, fitted)
    total = sum((match(_any(detected), _any(truth)) for detected, truth in parts), Matches())
    by_class = {label: _of_class(parts, label, match) for label in _labels(parts, fitted)}
    seconds = sum(len(record["values"]) / float(record["rate"]) for record in references)
    delays = total.delays()
    shown = max(range(len(parts)), key=lambda place: _errors(match, *parts[place]))
    return Score(
        metrics=_metrics(total, by_class, seconds),
        neutral=_by_class(by_class),
        notes={
            "f1": f"of events of any class, found by {fitted.matching}",
            "class_f1": "the mean over classes, each by itself",
            "onset_error": "ms between the beginnings of a found event and the true one",
            "false_alarms": "an hour",
        },
        tables={"Classes": [_row(label, result) for label, result in by_class.items()]},
        plots={
            "Onset error": functools.partial(
                figures.delays, [abs(delay) for delay in delays], "seconds"
            ),
            "The recording with most errors": functools.partial(
                _drawn, references[shown], answers, shown, parts[shown], fitted
            ),
        },
        wrong=_wrong(references, parts, match),
        right=_right(references, parts, match),
        titles=("Misses and false alarms", "Surest finds"),
    )


def _metrics(total: Matches, by_class: Mapping[str, Matches], seconds: float) -> dict[str, float]:
    delays = total.delays()
    class_f1 = [result.f1 for result in by_class.values()]
    return {
        "f1": total.f1,
        "precision": total.precision,
        "recall": total.recall,
        "class_f1": float(np.mean(class_f1)),
        "onset_error": 1000 * float(np.mean(np.abs(delays))) if delays else 1000 * seconds,
        "false_alarms": HOUR * len(total.false_alarms) / seconds,
    }


def matches(fitted: Fitted, detected: Sequence[Event], truth: Sequence[Event]) -> Matches:
    """Which events answer to which, as the configuration has it."""
    if fitted.matching == "onset":
        return by_onset(detected, truth, fitted.tolerance)
    if fitted.matching == "intersection":
        return by_intersection(detected, truth, fitted.tolerance)
    return by_overlap(detected, truth)


def truth_of(record: Record) -> list[Event]:
    """The events of a record, in seconds. Raises UserError without annotations."""
    labelled = json.loads(as_text(record["events"]))
    if labelled is None:
        raise UserError(f"{as_text(record['id'])} has no annotations; nothing can be scored.")
    rate = float(record["rate"])
    return [Event(label, first / rate, (last + 1) / rate, 1.0) for label, first, last in labelled]


def _pairs(references, answers, fitted: Fitted) -> list[tuple[list[Event], list[Event]]]:
    pairs = []
    for place, record in enumerate(references):
        check_record(record, fitted)
        answer = {name: answers[name][place] for name in ("event", "confidence")}
        detected = events.of_answer(answer, fitted.labels, fitted.step)
        truth = [event for event in truth_of(record) if event.label not in fitted.others]
        pairs.append((detected, truth))
    return pairs


def _any(detected: Sequence[Event]) -> list[Event]:
    """The same events, all of one class."""
    return [Event(ANY, event.start, event.end, event.confidence) for event in detected]


def _labels(parts, fitted: Fitted) -> list[str]:
    names = {event.label for _, truth in parts for event in truth}
    return [*fitted.labels, *sorted(names - set(fitted.labels))]


def _of_class(parts, label: str, match) -> Matches:
    return sum(
        (
            match(
                [event for event in detected if event.label == label],
                [event for event in truth if event.label == label],
            )
            for detected, truth in parts
        ),
        Matches(),
    )


def _by_class(by_class: Mapping[str, Matches]) -> dict[str, float]:
    """Each class's own metrics, by name."""
    values = {}
    for label, result in by_class.items():
        values[f"f1_{label}"] = result.f1
        values[f"precision_{label}"] = result.precision
        values[f"recall_{label}"] = result.recall
    return values


def _row(label: str, result: Matches) -> dict[str, Any]:
    return {
        "class": label,
        "events": len(result.pairs) + len(result.missed),
        "found": len(result.pairs),
        "false alarms": len(result.false_alarms),
        "precision": round(result.precision, 4),
        "recall": round(result.recall, 4),
        "F1": round(result.f1, 4),
    }


def _errors(match, detected, truth) -> int:
    result = match(_any(detected), _any(truth))
    return len(result.missed) + len(result.false_alarms)


def _case(kind: str, record: Record, event: Event) -> dict[str, Any]:
    return {
        "what": kind,
        "recording": as_text(record["id"]),
        "class": event.label,
        "from, s": round(event.start, 2),
        "to, s": round(event.end, 2),
        "confidence": round(event.confidence, 3),
    }


def _wrong(references, parts, match) -> list[Mapping[str, Any]]:
    alarms = []
    missed = []
    for record, (detected, truth) in zip(references, parts, strict=True):
        result = match(detected, truth)
        alarms += [_case("false alarm", record, event) for event in result.false_alarms]
        missed += [_case("missed", record, event) for event in result.missed]
    alarms.sort(key=lambda case: -case["confidence"])
    return worst(alarms, missed, CASES)


def _right(references, parts, match) -> list[dict[str, Any]]:
    cases = [
        _case("found", record, event)
        for record, (detected, truth) in zip(references, parts, strict=True)
        for event, _ in match(detected, truth).pairs
    ]
    return sorted(cases, key=lambda case: -case["confidence"])[:CASES]


def _drawn(record: Record, answers, place: int, pair, fitted: Fitted):
    detected, truth = pair
    rate = float(record["rate"])

    def in_samples(event: Event) -> Event:
        return Event(event.label, event.start * rate, event.end * rate, event.confidence)

    shares = 1 - np.asarray(answers["probabilities"][place])[:, 0]
    scores = np.repeat(shares, fitted.hop)
    values = record["values"][: len(scores)]
    return figures.series(
        values, scores, 0.5, [*map(in_samples, detected)], [*map(in_samples, truth)], label="share"
    )


def tables(asked: Asked, records: Sequence[Record]) -> Mapping[str, Any]:
    """The same recordings as a stream hears them, beside both directions."""
    if "causal" not in asked.signatures:
        return {}
    rows = []
    for name, signature in (("both directions", "serving_default"), ("as a stream", "causal")):
        metrics = score(records, asked.ask(records, signature), asked.fitted).metrics
        rows.append({"read": name, **{key: round(value, 4) for key, value in metrics.items()}})
    return {"As a stream": rows}


SCORING = Scoring(score=score, metrics=METRICS, primary="f1", tables=tables, floor=floor)
