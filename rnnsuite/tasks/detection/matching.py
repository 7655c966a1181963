"""Which found events are which true ones, and what that counts as."""

import bisect
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rnnsuite.device.events import Event


@dataclasses.dataclass(frozen=True)
class Matches:
    """Found events against true ones.

    Args:
        pairs: (found, true) of every true event that was found.
        missed: true events that were not.
        false_alarms: events that nothing true answers to.
    """

    pairs: Sequence[tuple[Event, Event]] = ()
    missed: Sequence[Event] = ()
    false_alarms: Sequence[Event] = ()

    def __add__(self, other: "Matches") -> "Matches":
        """Those of two recordings together."""
        return Matches(
            [*self.pairs, *other.pairs],
            [*self.missed, *other.missed],
            [*self.false_alarms, *other.false_alarms],
        )

    def of(self, label: str) -> "Matches":
        """Those of one label."""
        return Matches(
            [pair for pair in self.pairs if pair[1].label == label],
            [event for event in self.missed if event.label == label],
            [event for event in self.false_alarms if event.label == label],
        )

    @property
    def precision(self) -> float:
        """Share of what was found that is true; 0 where nothing was found."""
        return len(self.pairs) / max(len(self.pairs) + len(self.false_alarms), 1)

    @property
    def recall(self) -> float:
        """Share of what is true that was found (sensitivity)."""
        return len(self.pairs) / max(len(self.pairs) + len(self.missed), 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        errors = len(self.missed) + len(self.false_alarms)
        return 2 * len(self.pairs) / max(2 * len(self.pairs) + errors, 1)

    def delays(self) -> list[float]:
        """Seconds from the start of every true event to that of the found one."""
        return [event.start - true.start for event, true in self.pairs]


def by_onset(events: Sequence[Event], truth: Sequence[Event], tolerance: float) -> Matches:
    """Event-based matching by onset (Mesaros et al. 2016, doi 10.3390/app6060162).

    Each event pairs with at most one true one of the same label. Pairs are made from the event of
    highest confidence down, each with the nearest true one that is left.

    Args:
        events: what was detected.
        truth: what happened.
        tolerance: seconds between the starts of a pair at most.
    """

    def distance(event: Event, true: Event) -> float | None:
        apart = abs(true.start - event.start)
        return apart if apart <= tolerance else None

    def reach(event: Event) -> tuple[float, float]:
        return event.start - tolerance, event.start + tolerance

    return _paired(events, truth, distance, reach)


def by_intersection(events: Sequence[Event], truth: Sequence[Event], least: float) -> Matches:
    """Matching by the share of two events' union that is common to both (intersection over union).

    Args:
        events: what was detected.
        truth: what happened; an event and a true one of the same label pair at most once, those of
            highest confidence first.
        least: share from which two are a pair, above 0.
    """
    longest = max((true.end - true.start for true in truth), default=0.0)

    def distance(event: Event, true: Event) -> float | None:
        common = min(event.end, true.end) - max(event.start, true.start)
        union = max(event.end, true.end) - min(event.start, true.start)
        share = max(common, 0.0) / union if union > 0 else 1.0
        return 1 - share if share >= least else None

    return _paired(events, truth, distance, lambda event: (event.start - longest, event.end))


def by_overlap(events: Sequence[Event], truth: Sequence[Event]) -> Matches:
    """A true event is found where any event touches it, and an event that touches none is a false
    alarm, whatever the labels (Hundman et al., KDD 2018, section 4.2).
    """
    pairs = []
    missed = []
    for true in truth:
        touching = [e for e in events if e.start <= true.end and e.end >= true.start]
        if touching:
            pairs.append((min(touching, key=lambda event: event.start), true))
        else:
            missed.append(true)
    alarms = [
        event
        for event in events
        if not any(event.start <= true.end and event.end >= true.start for true in truth)
    ]
    return Matches(pairs, missed, alarms)


def worst(
    alarms: Sequence[Mapping[str, Any]], missed: Sequence[Mapping[str, Any]], most: int
) -> list[Mapping[str, Any]]:
    """False alarms and misses, half of either where there are enough, alarms first.

    Args:
        alarms, missed: cases, the worst first.
        most: cases that are wanted.
    """
    half = most // 2
    return [*alarms[: max(half, most - len(missed))], *missed[:half]][:most]


def _paired(
    events: Sequence[Event],
    truth: Sequence[Event],
    distance: Callable[[Event, Event], float | None],
    reach: Callable[[Event], tuple[float, float]],
) -> Matches:
    """One to one, within a label, from the highest confidence down, each with the nearest.

    Args:
        events, truth: to be paired.
        distance: of an event and a true one; None where they are too far apart.
        reach: where true events that are near enough may start, from and to.
    """
    left: dict[str, list[Event]] = defaultdict(list)
    for true in sorted(truth, key=lambda true: true.start):
        left[true.label].append(true)
    pairs = []
    alarms = []
    for event in sorted(events, key=lambda event: (-event.confidence, event.start)):
        candidates = left[event.label]
        low, high = reach(event)
        first = bisect.bisect_left(candidates, low, key=lambda true: true.start)
        last = bisect.bisect_right(candidates, high, key=lambda true: true.start)
        near = [
            (apart, place)
            for place in range(first, last)
            if (apart := distance(event, candidates[place])) is not None
        ]
        if near:
            pairs.append((event, candidates.pop(min(near)[1])))
        else:
            alarms.append(event)
    pairs.sort(key=lambda pair: pair[1].start)
    alarms.sort(key=lambda event: event.start)
    return Matches(pairs, [true for rest in left.values() for true in rest], alarms)
