"""Events out of probabilities."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device.events import Detector

LABELS = ["_silence_", "yes", "no"]


def probabilities(*stretches, steps=400):
    """[steps, 3]: silence, but for (label, first, last) stretches."""
    rows = np.tile([0.97, 0.02, 0.01], (steps, 1))
    for label, first, last in stretches:
        rows[first:last] = 0.02
        rows[first:last, LABELS.index(label)] = 0.96
    return rows


def detect(rows, cut=None, **settings):
    detector = Detector(LABELS, ["_silence_"], 0.02, **settings)
    found = []
    for piece in np.split(rows, cut or []):
        found += detector.feed(piece)
    return found + detector.end()


def test_events_have_label_times_and_confidence():
    first, second = detect(probabilities(("yes", 50, 80), ("no", 200, 240)))
    assert (first.label, second.label) == ("yes", "no")
    assert first.start == pytest.approx(1.0, abs=0.03)
    assert second.start == pytest.approx(4.0, abs=0.03)
    assert first.end == pytest.approx(1.6, abs=0.03)
    assert 0.9 < first.confidence <= 0.96


def test_silence_has_none():
    assert detect(probabilities()) == []


def test_a_blip_is_no_event():
    assert detect(probabilities(("yes", 50, 53))) == []
    assert len(detect(probabilities(("yes", 50, 53)), shortest=0.02)) == 1


def test_a_short_pause_does_not_end_one():
    rows = probabilities(("yes", 50, 80))
    rows[60:63] = [0.97, 0.02, 0.01]
    assert len(detect(rows)) == 1
    assert len(detect(rows, pause=0.04, refractory=0.0)) == 2


def test_the_end_of_a_word_says_which_it_was():
    found = detect(probabilities(("yes", 50, 70), ("no", 70, 82)))
    assert [event.label for event in found] == ["no"]
    assert found[0].start == pytest.approx(1.0)


def test_one_that_does_not_stop_is_divided():
    found = detect(probabilities(("yes", 0, 400)), longest=2.0, refractory=0.0)
    assert [event.start for event in found] == [0.0, 2.0, 4.0, 6.0]


def test_threshold():
    rows = probabilities()
    rows[50:80] = [0.3, 0.65, 0.05]
    assert len(detect(rows, threshold=0.5)) == 1
    assert detect(rows, threshold=0.8) == []


def test_refractory_time_is_of_one_label():
    rows = probabilities(("yes", 50, 80), ("yes", 95, 120), ("no", 135, 160))
    assert [e.label for e in detect(rows, smoothing=0.1, refractory=0.5)] == ["yes", "no"]
    assert [e.label for e in detect(rows, smoothing=0.1, refractory=0.0)] == ["yes", "yes", "no"]


def test_one_that_the_end_cuts():
    assert [event.label for event in detect(probabilities(("yes", 380, 400)))] == ["yes"]


def test_lead_and_tail_move_start_and_end_never_before_the_beginning():
    rows = probabilities(("yes", 2, 40))
    assert detect(rows, lead=0.3)[0].start == 0
    assert detect(rows, tail=0.3)[0].end == pytest.approx(0.5)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(0, 200), max_size=8))
def test_cut_anywhere_the_events_are_the_same(seed, cuts):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet([0.3] * 3, size=20).repeat(10, axis=0)
    whole = detect(rows)
    assert detect(rows, sorted(cuts)) == whole
    for before, after in itertools.pairwise(whole):
        assert before.start <= after.start
    assert all(event.start < event.end and event.label != "_silence_" for event in whole)
