"""The benchmark's score, by its definition step by step, and by what must hold of it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.tasks.detection.nab import (
    PROFILES,
    Profile,
    Scored,
    probation,
    report,
    sweep,
    weights,
)


def slow(corpus, profile, threshold):
    """The sum of gains and costs at one threshold, as the paper's section III tells it."""

    def sigmoid(place):
        return -1.0 if place > 3 else 2 / (1 + math.exp(5 * place)) - 1

    total = 0.0
    for series in corpus:
        begin = probation(len(series.scores))
        detected = [n for n, score in enumerate(series.scores) if score >= threshold and n >= begin]
        for first, last in series.windows:
            inside = [n for n in detected if first <= n <= last]
            if inside:
                place = -(last - inside[0] + 1) / (last - first + 1)
                total += profile.found * sigmoid(place) / sigmoid(-1.0)
            else:
                total -= profile.missed
        for n in detected:
            if any(first <= n <= last for first, last in series.windows):
                continue
            before = [window for window in series.windows if window[1] < n]
            worth = -1.0
            if before:
                first, last = before[-1]
                worth = sigmoid((n - last) / max(last - first, 1))
            total += profile.false_alarm * worth
    return total


@st.composite
def corpora(draw):
    corpus = []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.integers(30, 60))
        levels = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])
        scores = np.array(draw(st.lists(levels, min_size=length, max_size=length)))
        first = draw(st.integers(2, 20))  # within probation, too
        windows = [(first, first + draw(st.integers(0, 8)))]
        corpus.append(Scored(scores, windows))
    return corpus


@given(corpora(), st.sampled_from(list(PROFILES.values())))
@settings(max_examples=60, deadline=None)
def test_equals_the_definition_at_its_best_threshold(corpus, profile):
    found = sweep(corpus, profile)
    thresholds = [math.inf, *sorted({float(x) for item in corpus for x in item.scores})]
    by_definition = {threshold: slow(corpus, profile, threshold) for threshold in thresholds}
    assert found.raw == pytest.approx(max(by_definition.values()))
    assert by_definition[found.threshold] == pytest.approx(found.raw)


def test_a_silent_detector_has_0_and_a_perfect_one_100():
    windows = [(20, 29), (60, 64)]
    silent = Scored(np.full(100, 0.5), windows)
    assert [swept.score for swept in report([silent]).values()] == [0, 0, 0]
    scores = np.zeros(100)
    scores[[20, 60]] = 1.0
    for swept in report([Scored(scores, windows)]).values():
        assert swept.score == pytest.approx(100)
        assert (swept.threshold, swept.detected, swept.false_alarms) == (1.0, 2, 0)


def test_early_is_better_than_late_and_far_worse_than_near():
    values, number = weights(Scored(np.zeros(200), [(50, 59)]))
    assert number.tolist() == [-1] * 50 + [0] * 10 + [-1] * 140
    assert (values[:50] == -1).all()
    assert values[50] == pytest.approx(1.0)
    assert (np.diff(values[50:85]) < 0).all()
    assert (values[90:] == -1).all()


def test_nothing_counts_in_probation():
    scores = np.zeros(100)
    scores[:15] = 1.0
    scores[50] = 0.9
    swept = sweep([Scored(scores, [(50, 55)])], Profile())
    assert (swept.threshold, swept.false_alarms) == (0.9, 0)
    assert probation(100) == 15
    assert probation(10**6) == 750


def test_false_alarms_cost_what_the_profile_says():
    scores = np.zeros(100)
    scores[20] = 1.0
    scores[90] = 0.5
    cheap = sweep([Scored(scores, [(90, 94)])], Profile(false_alarm=0.2))
    assert cheap.raw == pytest.approx(1 - 0.2)
    dear = sweep([Scored(scores, [(90, 94)])], Profile(false_alarm=3.0))
    assert (dear.detected, dear.threshold) == (0, math.inf)


def test_without_a_window_nothing_can_be_found():
    swept = sweep([Scored(np.ones(30), [])], Profile())
    assert (swept.score, swept.detected, swept.threshold) == (0, 0, math.inf)
    assert report([]).keys() == PROFILES.keys()


def test_scores_may_begin_elsewhere_than_behind_probation():
    scores = np.zeros(100)
    scores[3] = 1.0
    windows = [(2, 8)]
    assert sweep([Scored(scores, windows)], Profile()).detected == 0
    assert sweep([Scored(scores, windows, begin=0)], Profile()).detected == 1
    assert sweep([Scored(scores, windows, begin=4)], Profile()).detected == 0
