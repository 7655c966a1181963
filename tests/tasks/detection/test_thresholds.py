"""Thresholds: tails of known distributions, drifts, and what stands out of itself."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from rnnsuite.data.channels import runs
from rnnsuite.tasks.detection.dynamic import best_threshold, dynamic, pruned, widened
from rnnsuite.tasks.detection.thresholds import (
    MOST,
    Largest,
    Spot,
    Tail,
    drifting_spot,
    fit_tail,
    peaks_over_threshold,
    quantile,
)


@pytest.mark.parametrize(
    "distribution",
    [stats.expon(), stats.norm(), stats.t(4), stats.uniform()],
    ids=lambda x: x.dist.name,
)
def test_a_tail_goes_on_beyond_what_was_seen(distribution):
    scores = distribution.rvs(20_000, random_state=0)
    for size in (1.0, 1e-4, 1e5):
        threshold = peaks_over_threshold(size * scores, 1e-4).threshold(1e-4)
        assert threshold / size == pytest.approx(distribution.isf(1e-4), rel=0.2)


def test_the_tail_s_formula_is_the_distribution_s():
    for shape in (-0.3, 0.0, 0.4):
        tail = Tail(2.0, shape, 0.5, share=0.02)
        score = tail.threshold(1e-3)
        assert 0.02 * stats.genpareto.sf(score - 2.0, shape, scale=0.5) == pytest.approx(1e-3)
    assert Tail(2.0, 0.1, 0.5, share=0.02).threshold(0.02) == 2.0


def test_few_or_equal_peaks_end_at_the_largest():
    for peaks in (np.array([]), np.array([1.0, 2.0]), np.full(50, 2.0)):
        tail = fit_tail(peaks, 3.0, 1000)
        assert 3.0 <= tail.threshold(1e-9) <= 5.0


def test_what_is_not_finite_teaches_nothing():
    scores = np.random.default_rng(0).exponential(size=2000)
    holes = np.insert(scores, [5, 900], [np.nan, np.inf])
    assert peaks_over_threshold(holes, 1e-3) == peaks_over_threshold(scores, 1e-3)
    assert quantile(holes, 0.25) == pytest.approx(np.quantile(scores, 0.75))
    spot = Spot(scores, 1e-3)
    before = spot.threshold
    assert not spot.step(math.nan)
    assert spot.threshold == before


@pytest.mark.parametrize("risk", [0.0, -1.0, 0.03, 1.0])
def test_a_risk_beyond_the_tail_is_told(risk):
    with pytest.raises(ValueError, match="risk"):
        peaks_over_threshold(np.arange(100.0), risk)


def test_no_score_at_all_is_told():
    for call in (quantile, peaks_over_threshold):
        with pytest.raises(ValueError, match="no finite score"):
            call(np.array([np.nan]), 0.01)


def test_a_stream_s_threshold_learns_from_peaks_and_not_from_anomalies():
    rng = np.random.default_rng(0)
    spot = Spot(rng.exponential(size=500), 1e-4)
    first = spot.threshold
    alarms = sum(spot.step(score) for score in rng.exponential(size=30_000))
    assert alarms <= 15
    assert spot.threshold == pytest.approx(-math.log(1e-4), rel=0.15)
    assert abs(spot.threshold - 9.21) < abs(first - 9.21)
    before = spot.threshold
    assert all(spot.step(100.0) for _ in range(1000))
    assert spot.threshold == before


def test_a_drift_is_followed_and_a_jump_found():
    rng = np.random.default_rng(1)
    scores = np.linspace(0, 50, 5000) + rng.normal(size=5000)
    scores[4000] += 15
    thresholds = drifting_spot(scores, 1000, 1e-4)
    found = np.flatnonzero(scores >= thresholds)
    assert 4000 in found
    assert len(found) <= 5
    assert np.isinf(thresholds[:1000]).all()
    with pytest.raises(ValueError, match="more than 20"):
        drifting_spot(scores, 20, 1e-4)


def test_dynamic_finds_what_stands_out_and_prunes_what_hardly_does():
    rng = np.random.default_rng(0)
    scores = np.abs(rng.normal(size=3000)) * 0.1
    scores[1000:1010] = 2.0
    found, thresholds = dynamic(scores, width=2100, step=70, margin=5)
    assert runs(found).tolist() == [[995, 1014]]
    assert (thresholds < 2.0).any()
    flat, _ = dynamic(np.full(500, 0.3))
    assert not flat.any()
    short, _ = dynamic(scores[990:1030], margin=2)
    assert not short[:5].any()


def test_pruned_keeps_runs_down_to_the_last_large_fall():
    scores = np.array([0.1, 5.0, 0.1, 4.9, 0.1, 1.0, 0.1, 0.95, 0.9])
    above = scores >= 0.95
    assert runs(pruned(scores, above, 0.13)).tolist() == [[1, 1], [3, 3]]
    assert not pruned(scores, scores >= 0.95, 0.9).any()


def test_the_best_threshold_is_between_what_is_normal_and_what_is_not():
    scores = np.concatenate([np.random.default_rng(0).uniform(0, 1, 500), [9.0], np.zeros(20)])
    assert 1 < best_threshold(scores, margin=0) < 9
    assert best_threshold(np.zeros(50), margin=0) == np.inf


def test_margins():
    flags = np.array([1, 0, 0, 1, 1, 0, 0, 0, 1], bool)
    assert widened(flags, 1).tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1]


@pytest.fixture(scope="module")
def many():
    return np.random.default_rng(0).exponential(size=200_000)


@pytest.mark.parametrize("risk", [1e-2, 1e-3, 1e-5])
def test_the_largest_scores_are_enough_for_a_tail(many, risk):
    """What is kept of them gives the threshold that all of them give."""
    largest = Largest.of([many[:70_000], many[70_000:]])
    assert len(largest.scores) == MOST
    assert largest.count == len(many)
    assert largest.threshold("peaks", risk) == pytest.approx(
        peaks_over_threshold(many, risk).threshold(risk), rel=1e-3
    )
    if risk * len(many) >= 10:
        assert largest.threshold("quantile", risk) == pytest.approx(quantile(many, risk), rel=1e-2)


def test_the_largest_scores_in_json_are_the_same(many):
    largest = Largest.of([many])
    assert Largest.read(json.loads(json.dumps(largest.plain()))) == largest
    nothing_stands_out = Largest.of([np.ones(100)])
    assert nothing_stands_out.plain()["dynamic"] is None
    assert Largest.read(nothing_stands_out.plain()) == nothing_stands_out


def test_without_a_tail_only_more_than_the_largest_is_an_anomaly():
    largest = Largest.of([np.full(50, 3.0)])
    assert largest.threshold("dynamic", 1e-3) > 3.0
    few = Largest.of([np.array([1.0, 2.0, 5.0])])
    assert few.threshold("peaks", 1e-3) >= 5.0
    assert few.threshold("quantile", 1e-3) == 5.0


def test_scores_that_are_not_finite_do_not_count():
    largest = Largest.of([np.array([1.0, np.nan, 2.0]), np.array([np.inf])])
    assert (largest.scores, largest.count) == ((2.0, 1.0), 2)
    with pytest.raises(ValueError, match="no finite score"):
        Largest.of([np.array([np.nan])])
