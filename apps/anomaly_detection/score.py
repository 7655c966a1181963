"""How well the alarms find what is labelled, and what costs little beside them."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Direction, Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.data.channels import runs
from rnnsuite.tasks.detection import events, figures, nab, ranges
from rnnsuite.tasks.detection.matching import Matches, by_overlap, worst

from .floor import floor

METRICS: Mapping[str, Direction] = {
    "f1": "max",
    "precision": "max",
    "recall": "max",
    "auc_pr": "max",
    "vus_pr": "max",
    "affiliation_f1": "max",
    "delay": "min",
    "false_alarms": "min",
    "nab_standard": "max",
    "nab_reward_low_FP_rate": "max",
    "nab_reward_low_FN_rate": "max",
}
SURROUNDINGS = 40
"""Observations around an anomaly that VUS-PR counts at most."""
PER = 1000
"""Observations to which false alarms are counted."""
CASES = 8
"""Misses, false alarms and finds that are told of."""
NOTES = {
    "f1": "an anomaly is found where an event touches it (Hundman et al., 2018)",
    "delay": "observations from its beginning to the first alarm, of those found",
    "false_alarms": f"events that touch no anomaly, in {PER} observations",
    "nab_standard": "by the threshold that is best for this corpus, as the benchmark has it",
    "flagged": "share of observations within events, where `labelled` is that within anomalies",
}


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """Events against labels, scores whatever the threshold, and plots.

    Args:
        references: records with `labels` and `begin`, from which on they count.
        answers: `score`, `rising`, `threshold` and `event`, in the same order.
        fitted: not used.

    Returns:
        The score; 0 where nothing is labelled, and so nothing can be found.
    """
    series = [
        _Series(record, {name: np.asarray(column[place]) for name, column in answers.items()})
        for place, record in enumerate(references)
    ]
    matches = sum((item.matches for item in series), Matches())
    observations = sum(len(item.labels) for item in series)
    swept = nab.report([item.scored for item in series if item.is_labelled])
    labels = np.concatenate([item.labels for item in series])
    scores = np.concatenate([item.score for item in series])
    anomalous = [item for item in series if item.labels.any() and not item.labels.all()]
    delays = matches.delays()
    metrics = {
        "f1": matches.f1,
        "precision": matches.precision,
        "recall": matches.recall,
        "auc_pr": _mean([ranges.average_precision(scores, labels)]),
        "vus_pr": _mean([item.vus() for item in anomalous]),
        "affiliation_f1": _affiliation(anomalous),
        "delay": float(np.mean(np.maximum(delays, 0))) if delays else float(observations),
        "false_alarms": PER * len(matches.false_alarms) / observations,
        **{f"nab_{name}": result.score for name, result in swept.items()},
    }
    shown = sorted(series, key=lambda item: -item.errors())[:3]
    return Score(
        metrics=metrics,
        neutral={
            "labelled": float(labels.mean()),
            "flagged": float(np.concatenate([item.flagged() for item in series]).mean()),
        },
        notes={**NOTES, **_warning(labels)},
        plots={
            "Precision and recall of observations": functools.partial(
                figures.precision_recall, scores, labels
            ),
            "Delay": functools.partial(figures.delays, delays),
            **{f"{item.name}": item.drawn() for item in shown},
        },
        tables={"Profiles of the Numenta Anomaly Benchmark": _profiles(swept)},
        wrong=_wrong(series),
        right=_right(series),
        titles=("Highest false alarms and misses", "Highest finds"),
    )


class _Series:
    """What is known of one series, from the step on from which it counts."""

    def __init__(self, record: Record, answer: Mapping[str, np.ndarray]):
        begin = int(record["begin"])
        self.name = as_text(record["id"])
        self.values = record["values"][begin:]
        self.is_labelled = (record["labels"][begin:] >= 0).all()
        self.labels = record["labels"][begin:] == 1
        self.begin = begin
        self.score = answer["score"][begin:].astype(np.float64)
        self.threshold = float(answer["threshold"][0])
        self.events = events.of_numbers(answer["event"][begin:])
        self.truth = events.of_numbers(_numbers(self.labels))
        self.matches = by_overlap(self.events, self.truth)
        windows = [(int(first), int(last)) for first, last in runs(self.labels)]
        self.scored = nab.Scored(answer["rising"][begin:].astype(np.float64), windows, begin=0)

    def errors(self) -> int:
        """Misses and false alarms."""
        return len(self.matches.missed) + len(self.matches.false_alarms)

    def vus(self) -> float:
        """VUS-PR of this series."""
        return ranges.volume_under_surface(self.score, self.labels, SURROUNDINGS)

    def flagged(self) -> np.ndarray:
        """Whether each step is in an event."""
        spans = [(int(event.start), int(event.end)) for event in self.events]
        return ranges.labels_of(spans, len(self.labels))

    def drawn(self) -> Any:
        """A figure, on demand."""
        return functools.partial(
            figures.series,
            self.values,
            self.score,
            self.threshold,
            self.events,
            self.truth,
            self.begin,
        )

    def case(self, kind: str, event: Any) -> dict[str, Any]:
        part = slice(int(event.start), int(event.end) + 1)
        return {
            "what": kind,
            "series": self.name,
            "from": part.start + self.begin,
            "to": part.stop - 1 + self.begin,
            "score": round(float(self.score[part].max()), 2),
        }


def _numbers(labels: np.ndarray) -> np.ndarray:
    """Each labelled run with a number of its own."""
    numbers = np.zeros(len(labels), np.int32)
    for number, (first, last) in enumerate(runs(labels), 1):
        numbers[first : last + 1] = number
    return numbers


def _warning(labels: np.ndarray) -> dict[str, str]:
    """What is to be known where nothing or everything is labelled."""
    if labels.any() and not labels.all():
        return {}
    what = "every" if labels.any() else "no"
    return {"f1": f"{what} observation of this split is labelled an anomaly: it says nothing"}


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else 0.0


def _affiliation(series: Sequence[_Series]) -> float:
    pairs = [ranges.affiliation(item.flagged(), item.labels) for item in series]
    precision = _mean([pair[0] for pair in pairs])
    recall = _mean([pair[1] for pair in pairs])
    return 2 * precision * recall / max(precision + recall, np.finfo(float).tiny)


def _profiles(swept: Mapping[str, nab.Swept]) -> list[dict[str, Any]]:
    return [
        {
            "profile": name,
            "score": round(result.score, 2),
            "threshold": round(result.threshold, 3),
            "windows found": result.detected,
            "false alarms": result.false_alarms,
        }
        for name, result in swept.items()
    ]


def _wrong(series: Sequence[_Series]) -> list[Mapping[str, Any]]:
    alarms = [
        item.case("false alarm", event) for item in series for event in item.matches.false_alarms
    ]
    alarms.sort(key=lambda case: -case["score"])
    missed = [item.case("missed", event) for item in series for event in item.matches.missed]
    missed.sort(key=lambda case: case["score"])
    return worst(alarms, missed, CASES)


def _right(series: Sequence[_Series]) -> list[dict[str, Any]]:
    cases = [item.case("found", true) for item in series for _, true in item.matches.pairs]
    return sorted(cases, key=lambda case: -case["score"])[:CASES]


SCORING = Scoring(score=score, metrics=METRICS, primary="auc_pr", floor=floor)
