"""From probabilities at every step to events in time, as the steps come. numpy alone: it runs on a
device too.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Event:
    """One event.

    Args:
        label: what happened.
        start, end: seconds from the beginning.
        confidence: the highest smoothed probability.
    """

    label: str
    start: float
    end: float
    confidence: float


class Detector:
    """Turns probabilities into events: `feed` gives those that have ended, `end` the last one.

    Something happens where the background's share is under one half; an event lasts until nothing
    has happened for `pause`. The mean probability of its last `smoothing` names it: in its
    beginning, a word that begins like another can only be guessed.

    Args:
        labels: the classes in the order of the probabilities.
        background: those that are no events.
        step: seconds from one row to the next.
        smoothing, pause: seconds.
        threshold: smoothed probability from which an event counts.
        shortest, longest: seconds; a shorter event does not count, a longer one is closed and
            another one begun.
        refractory: seconds after an event in which the same label does not count again.
        lead, tail: seconds by which probabilities rise and fall too late; start and end are moved
            back by as much.
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
        self.labels = list(labels)
        self.step = step
        self.words = [i for i, label in enumerate(labels) if label not in background]
        self.threshold = threshold
        self.refractory = refractory
        self.lead = lead
        self.tail = tail
        self.smoothing, self.pause, self.shortest, self.longest = (
            max(round(seconds / step), 1) for seconds in (smoothing, pause, shortest, longest)
        )
        self.time = 0
        # first step of the event under way, and the last one in which something happened
        self.begun = 0
        self.latest = 0
        self.rows: list[np.ndarray] = []  # of the event under way
        self.last: Event | None = None

    def feed(self, probabilities: np.ndarray) -> list[Event]:
        """The events that end within these rows `[time, classes]`, which follow the last ones."""
        events = []
        for row in np.asarray(probabilities, np.float64):
            events += self._row(row)
            self.time += 1
        return events

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
        rows = self.rows[: self.latest + 1 - self.begun]
        self.rows = []
        if len(rows) < self.shortest:
            return []
        shares = np.mean(rows[-self.smoothing :], axis=0)[self.words]
        if shares.max() < self.threshold:
            return []
        start = max(self.begun * self.step - self.lead, 0.0)
        end = max((self.latest + 1) * self.step - self.tail, start + self.step)
        label = self.labels[self.words[int(shares.argmax())]]
        event = Event(label, round(start, 3), round(end, 3), round(float(shares.max()), 4))
        before = self.last
        self.last = event
        if before and before.label == event.label and event.start - before.end < self.refractory:
            return []
        return [event]
