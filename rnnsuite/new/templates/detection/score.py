"""How well events are found, beside a cheap floor: a linear model that sees one step at a time."""

import json

import numpy as np
from sklearn.linear_model import LogisticRegression

from rnnsuite.app import Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.device.events import Event
from rnnsuite.tasks.detection import events
from rnnsuite.tasks.detection.matching import Matches, by_intersection

from .config import DetectConfig
from .data import examples, load
from .serve import rules

COMMON = 0.5
"""Share of the union of a found event and the true one that is common to both, at least."""


def score(references, answers, fitted):
    """Precision, recall and F1 of events, which are found where half of the union is common."""
    total = Matches()
    cases = {"found": [], "missed": [], "false alarm": []}
    for place, record in enumerate(references):
        answer = {name: answers[name][place] for name in ("event", "confidence")}
        truth = [
            Event(label, first, last + 1, 1.0)
            for label, first, last in json.loads(as_text(record["events"]))
        ]
        found = events.of_answer(answer, fitted.labels, step=1.0)
        matches = by_intersection(found, truth, COMMON)
        total += matches
        cases["found"] += [_case("found", record, pair[0]) for pair in matches.pairs]
        cases["missed"] += [_case("missed", record, event) for event in matches.missed]
        cases["false alarm"] += [_case("false alarm", record, e) for e in matches.false_alarms]
    return Score(
        metrics={"f1": total.f1, "precision": total.precision, "recall": total.recall},
        tables={"Labels": [_row(label, total.of(label)) for label in fitted.labels]},
        right=cases["found"],
        wrong=[*cases["false alarm"], *cases["missed"]],
        titles=("False alarms and misses", "Found"),
    )


def _case(what, record, event):
    where = {"from": event.start, "to": event.end - 1}
    return {"what": what, "series": as_text(record["id"]), "label": event.label, **where}


def _row(label, matches):
    return {
        "label": label,
        "events": len(matches.pairs) + len(matches.missed),
        "precision": round(matches.precision, 4),
        "recall": round(matches.recall, 4),
        "F1": round(matches.f1, 4),
    }


def floor(config, fitted, records):
    """Logistic regression of each step's class by its own numbers, and the same rules of events."""
    steps = [(x, y) for x, y in examples(config, fitted, load(config, "train")).as_numpy_iterator()]
    series, numbers = (np.concatenate(part) for part in zip(*steps, strict=True))
    model = LogisticRegression(max_iter=1000).fit(series, numbers)
    shares = [model.predict_proba(record["series"]).astype(np.float32) for record in records]
    found = [events.of_rows(rows, rules(DetectConfig())) for rows in shares]
    answers = {name: [answer[name] for answer in found] for name in ("event", "confidence")}
    return {"model": "logistic regression of a step", **score(records, answers, fitted).metrics}


SCORING = Scoring(
    score=score,
    metrics={"f1": "max", "precision": "max", "recall": "max"},
    primary="f1",
    floor=floor,
)
