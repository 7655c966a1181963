"""From probabilities at every step to events in time, as the steps come. numpy alone: it runs on a
device too.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Event:
    """`label` from `start` to `end`, in seconds from the beginning, with the highest smoothed
    probability.
    """

    label: str
    start: float
    end: float
    confidence: float


class Detector:
    """`feed(probabilities)` gives the events that have ended, `end()` the one that has not.

    Something happens where the background's share is under one half; an event lasts until
    it has not for `pause`. What it was, the mean probability of its last `smoothing` says: in
    its beginning, a word that begins like another is guessed only.

    labels: the classes in the order of the probabilities; those of `background` are no events.
    step: seconds from one row to the next. smoothing, pause: seconds. threshold: smoothed
    probability that makes an event. shortest, longest: seconds; a shorter event is none, a
    longer one is closed and another begun. refractory: seconds after an event in which the
    same label is no new one. lead, tail: seconds by which probabilities rise too late and fall
    too late; the start and the end are moved back by as much.
    """

    def __init__(
        self,
        labels: Sequence[str],
        background: Sequence[str],
        step: float,
        smoothing: float = 0.2,
        threshold: float = 0.4,
        pause: float = 0.1,
        shortest: float = 0.08,
        longest: float = 2.0,
        refractory: float = 0.3,
        lead: float = 0.0,
        tail: float = 0.0,
    ):
        self.labels, self.step = list(labels), step
        self.words = [i for i, label in enumerate(labels) if label not in background]
        self.threshold, self.refractory, self.lead, self.tail = threshold, refractory, lead, tail
        self.smoothing, self.pause, self.shortest, self.longest = (
            max(round(seconds / step), 1) for seconds in (smoothing, pause, shortest, longest)
        )
        self.time = 0
        self.begun, self.latest = (
            0,
            0,
        )  # first step of the event under way, and the last one in which something happened
        self.rows: list[np.ndarray] = []  # of the event under way
        self.last: Event | None = None

    def feed(self, probabilities: np.ndarray) -> list[Event]:
        """The events that end within these rows `[time, classes]`, which follow those fed before.
        """
        found = []
        for row in np.asarray(probabilities, np.float64):
            found += self._row(row)
            self.time += 1
        return found

    def end(self) -> list[Event]:
        """The event that the end of the sound ends."""
        return self._close()

    def _row(self, row: np.ndarray) -> list[Event]:
        happening = row[self.words].sum() >= 0.5
        if not self.rows:
            if not happening:
                return []
            self.begun = self.time
        self.rows.append(row)
        if happening:
            self.latest = self.time
        ended = self.time - self.latest >= self.pause or len(self.rows) >= self.longest
        return self._close() if ended else []

    def _close(self) -> list[Event]:
        rows, self.rows = self.rows[: self.latest + 1 - self.begun], []
        if len(rows) < self.shortest:
            return []
        shares = np.mean(rows[-self.smoothing :], axis=0)[self.words]
        if shares.max() < self.threshold:
            return []
        start = max(self.begun * self.step - self.lead, 0.0)
        end = max((self.latest + 1) * self.step - self.tail, start + self.step)
        label = self.labels[self.words[int(shares.argmax())]]
        event = Event(label, round(start, 3), round(end, 3), round(float(shares.max()), 4))
        before, self.last = self.last, event
        if before and before.label == event.label and event.start - before.end < self.refractory:
            return []
        return [event]


@dataclasses.dataclass(frozen=True)
class Matched:
    """Events against the truth. precision, recall, f1; false_alarms: events that nothing in the
    truth matches.
    """

    precision: float
    recall: float
    f1: float
    false_alarms: int


def match(found: Sequence[Event], truth: Sequence[Event], tolerance: float = 0.3) -> Matched:
    """Each event of `found` pairs with at most one of `truth`: same label, starts at most
    `tolerance` seconds apart.

    Event-based scores as Mesaros et al. 2016 (doi 10.3390/app6060162) define them, by onset.
    Pairs are made from the surest event down, each with the nearest that is left.
    """
    left, hits = list(truth), 0
    for event in sorted(found, key=lambda event: -event.confidence):
        near = [
            each
            for each in left
            if each.label == event.label and abs(each.start - event.start) <= tolerance
        ]
        if near:
            left.remove(min(near, key=lambda each: abs(each.start - event.start)))
            hits += 1
    precision, recall = hits / max(len(found), 1), hits / max(len(truth), 1)
    f1 = 2 * hits / max(len(found) + len(truth), 1)
    return Matched(precision, recall, f1, len(found) - hits)
