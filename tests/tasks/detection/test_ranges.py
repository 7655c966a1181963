"""Precision and recall of ranges by what must hold of them, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.data.channels import runs
from rnnsuite.tasks.detection.ranges import (
    affiliation,
    average_precision,
    labels_of,
    softened,
    volume_under_surface,
)

LABELS = labels_of([(100, 119), (300, 304)], 400)

EXPECTED = (0.8378491067529779, 0.7251206842144801, 0.7301103187416532)


def scores_of(places, length=400):
    scores = np.random.default_rng(0).uniform(0, 0.1, length)
    scores[places] += 1
    return scores


def test_perfect_scores_and_chance():
    exact = np.where(LABELS, 1.0, 0.0)
    assert average_precision(exact, LABELS) == 1
    assert volume_under_surface(exact + scores_of([]), LABELS, 0) > 0.97
    rng = np.random.default_rng(0)
    chance = [volume_under_surface(rng.uniform(size=400), LABELS, 10) for _ in range(20)]
    assert np.mean(chance) < 0.2


def test_near_a_range_counts_the_more_the_wider_its_surroundings():
    early = scores_of(np.r_[90:100, 294:300])
    narrow, wide = (volume_under_surface(early, LABELS, width) for width in (2, 40))
    assert wide > narrow + 0.1


def test_it_is_the_authors():
    """What `RangeAUC_volume_opt` of their package vus 0.0.6 gives."""
    rng = np.random.default_rng(0)
    for expected in EXPECTED:
        scores = rng.uniform(size=400) + LABELS * rng.uniform(size=400) * 1.5
        assert volume_under_surface(scores, LABELS, 20) == pytest.approx(expected, abs=1e-12)


def test_one_class_alone_has_no_area():
    for labels in (np.zeros(9, bool), np.ones(9, bool)):
        assert np.isnan(average_precision(np.arange(9.0), labels))
        assert np.isnan(volume_under_surface(np.arange(9.0), labels, 3))


def test_soft_labels_by_hand():
    labels = labels_of([(5, 6)], 12)
    expected = np.zeros(12)
    expected[5:7] = 1
    expected[[4, 7]] = np.sqrt(1 - 1 / 6)
    expected[[3, 8]] = np.sqrt(1 - 2 / 6)
    expected[[2, 9]] = np.sqrt(1 - 3 / 6)
    np.testing.assert_allclose(softened(labels, 6), expected)
    np.testing.assert_array_equal(softened(labels, 0), labels)


def test_affiliation_by_hand():
    labels = labels_of([(4, 5)], 10)
    assert affiliation(labels, labels) == (1, 1)
    assert affiliation(np.zeros(10, bool), labels)[1] == 0
    assert np.isnan(affiliation(np.zeros(10, bool), labels)[0])
    # A step at the edge: no step is farther than it but itself (precision 1 / 10); from steps 4 and
    # 5 of the range, 2 and 0 of ten are as far away.
    edge = labels_of([(0, 0)], 10)
    assert affiliation(edge, labels) == pytest.approx((0.2, (3 / 10 + 1 / 10) / 2))


def slow(found, labels):
    """The definition, a step at a time."""
    ranges = runs(labels)
    distance = np.array(
        [min(abs(n - m) for m in np.flatnonzero(labels)) for n in range(len(labels))]
    )
    precisions = []
    recalls = []
    edges = [0, *((ranges[:-1, 1] + ranges[1:, 0] + 1) // 2).tolist(), len(labels)]
    for (first, last), begin, end in zip(ranges, edges, edges[1:], strict=False):
        zone = range(begin, end)
        inside = [n for n in zone if found[n]]
        if not inside:
            recalls.append(0.0)
            continue
        precisions.append(
            np.mean([np.mean([distance[m] >= distance[n] for m in zone]) for n in inside])
        )
        recalls.append(
            np.mean(
                [
                    np.mean([abs(m - n) >= min(abs(n - k) for k in inside) for m in zone])
                    for n in range(first, last + 1)
                ]
            )
        )
    return np.mean(precisions) if precisions else np.nan, np.mean(recalls)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.sets(st.integers(0, 25), min_size=1, max_size=3),
)
def test_affiliation_equals_its_definition(found, places):
    labels = labels_of([(place, place + 2) for place in places], 30)
    found = np.array(found)
    np.testing.assert_allclose(affiliation(found, labels), slow(found, labels))
