"""Plots hold what they are of."""

import numpy as np
import pytest

from rnnsuite.device.events import Event
from rnnsuite.tasks.detection import figures


def lines(axes):
    return [line.get_xydata() for line in axes.get_lines()]


def test_a_series_its_score_its_threshold_and_events():
    values = np.arange(20.0).reshape(10, 2)
    scores = np.arange(10.0)
    found = [Event("a", 2, 3, 1.0)]
    truth = [Event("a", 5, 5, 1.0), Event("b", 8, 9, 1.0)]
    above, below = figures.series(values, scores, 4.5, found, truth, begin=100).axes
    first, second = lines(above)
    np.testing.assert_array_equal(first[:, 0], 100 + np.arange(10))
    np.testing.assert_array_equal(second[:, 1], values[:, 1])
    score, threshold = lines(below)
    np.testing.assert_array_equal(score[:, 1], scores)
    assert set(threshold[:, 1]) == {4.5}
    assert len(above.patches) == 2
    assert len(below.patches) == 1
    assert below.patches[0].get_x() == 102
    assert below.patches[0].get_width() == 2  # its last step, too


def test_a_long_series_is_thinned_and_keeps_its_peaks():
    scores = np.zeros(3 * figures.DRAWN)
    scores[7777] = 9.0
    above, below = figures.series(scores[:, None], scores, 1.0, [], []).axes
    assert len(lines(above)[0]) <= figures.DRAWN
    assert lines(below)[0][:, 1].max() == 9.0


def test_only_some_channels_are_drawn():
    above, _ = figures.series(np.zeros([5, 30]), np.zeros(5), 1.0, [], []).axes
    assert len(above.get_lines()) == 8


def test_precision_and_recall_of_perfect_scores():
    labels = np.array([False, False, True, False])
    (axes,) = figures.precision_recall(labels.astype(float), labels).axes
    curve = lines(axes)[0]
    assert curve.tolist() == [[1, 0.25], [1, 1], [0, 1]]
    chance = lines(axes)[-1]
    assert chance[0, 1] == 0.25


def test_without_a_label_only_chance_is_drawn():
    (axes,) = figures.precision_recall(np.ones(3), np.zeros(3, bool)).axes
    assert len(axes.get_lines()) == 1


@pytest.mark.parametrize("values", [[], [3.0], [2.0, -1.0, 5.0]])
def test_delays_rise_to_all(values):
    (axes,) = figures.delays(values, "s").axes
    curve = lines(axes)[0]
    assert curve[-1, 1] == 1
    assert (np.diff(curve[:, 0]) >= 0).all()
    assert curve[0, 0] >= 0
    assert axes.get_xlabel() == "delay, s"
