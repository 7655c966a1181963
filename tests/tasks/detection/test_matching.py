"""Which found events are which true ones."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device.events import Event
from rnnsuite.tasks.detection.matching import Matches, by_intersection, by_onset, by_overlap


def event(label, start, confidence=1.0, length=0.5):
    return Event(label, start, start + length, confidence)


TRUTH = [event("yes", 1.0), event("no", 2.0), event("yes", 5.0)]


def test_by_onset_counts_each_once():
    found = [event("yes", 1.1), event("yes", 1.2, 0.5), event("no", 2.5), event("yes", 5.29)]
    matches = by_onset(found, TRUTH, 0.3)
    assert matches.precision == 2 / 4
    assert matches.recall == 2 / 3
    assert matches.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert matches.false_alarms == [found[1], found[2]]
    assert matches.missed == [TRUTH[1]]
    assert matches.delays() == pytest.approx([0.1, 0.29])


def test_nothing_found_and_nothing_to_find():
    for matches in (
        by_onset([], TRUTH, 0.3),
        by_intersection([], TRUTH, 0.5),
        by_overlap([], TRUTH),
    ):
        assert (matches.f1, matches.precision, matches.recall) == (0, 0, 0)
        assert len(matches.missed) == 3
    assert by_onset([], [], 0.3) == Matches([], [], [])


def test_by_intersection():
    true = event("yes", 0.0, length=4.0)
    half = Event("yes", 0.0, 2.0, 1.0)
    assert by_intersection([half], [true], 0.5).pairs == [(half, true)]
    assert not by_intersection([half], [true], 0.51).pairs
    assert not by_intersection([event("no", 0.0, length=4.0)], [true], 0.5).pairs
    late = Event("yes", 1.0, 5.0, 0.9)
    assert by_intersection([late, half], [true], 0.5).pairs == [(half, true)]


def test_by_overlap_needs_a_touch_and_no_label():
    long = Event("", 1.2, 2.1, 1.0)
    matches = by_overlap([long, Event("", 3.0, 3.1, 1.0)], TRUTH)
    assert [true for _, true in matches.pairs] == TRUTH[:2]
    assert matches.missed == [TRUTH[2]]
    assert matches.false_alarms == [Event("", 3.0, 3.1, 1.0)]


def test_of_several_recordings_and_of_one_label():
    both = by_onset(TRUTH, TRUTH, 0.1) + by_onset([], TRUTH, 0.1)
    assert both.recall == 0.5
    assert len(both.of("yes").pairs) == len(both.of("yes").missed) == 2
    assert both.of("no").f1 == pytest.approx(2 / 3)


times = st.lists(st.integers(0, 40), max_size=6).map(lambda x: [event("a", t / 4) for t in x])


@settings(max_examples=100, deadline=None)
@given(times, times, st.sampled_from([0.0, 0.3, 2.0]))
def test_every_event_is_counted_once_and_near_enough(found, truth, tolerance):
    for matches in (by_onset(found, truth, tolerance), by_intersection(found, truth, 0.5)):
        assert len(matches.pairs) + len(matches.false_alarms) == len(found)
        assert len(matches.pairs) + len(matches.missed) == len(truth)
    assert all(abs(x) <= tolerance + 1e-9 for x in by_onset(found, truth, tolerance).delays())
    for one, other in itertools.product(found, truth):
        if abs(one.start - other.start) <= tolerance:
            assert by_onset(found, truth, tolerance).pairs
