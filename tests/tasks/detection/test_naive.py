"""A windowed Gaussian against its definition."""

import numpy as np

from rnnsuite.tasks.detection.naive import windowed_gaussian


def test_deviations_from_the_mean_of_those_before():
    x = np.random.default_rng(0).normal(5.0, 2.0, size=60)
    x[20] = np.nan
    found = windowed_gaussian(x, 10)
    for place in range(12, 60):
        before = x[place - 10 : place]
        before = before[np.isfinite(before)]
        expected = 0 if np.isnan(x[place]) else abs(x[place] - before.mean()) / before.std()
        np.testing.assert_allclose(found[place], expected, rtol=1e-6)
    assert found[:2].tolist() == [0, 0]


def test_constants_and_nothing():
    assert np.isfinite(windowed_gaussian(np.full(30, 3.0))).all()
    assert windowed_gaussian(np.full(5, np.nan)).tolist() == [0] * 5


def test_a_window_longer_than_the_series_holds_all_before():
    x = np.array([1.0, 3.0, 2.0, 10.0])
    found = windowed_gaussian(x, 100)
    np.testing.assert_allclose(found[3], (10 - 2) / np.std([1, 3, 2]), rtol=1e-5)
    np.testing.assert_allclose(windowed_gaussian(x, 4), found)


def test_a_level_shift_is_unusual_until_it_is_in_the_window():
    x = np.concatenate([np.random.default_rng(1).normal(size=50), np.full(60, 20.0)])
    found = windowed_gaussian(x, 20)
    assert found[50] == found.max()
    assert found[75] < 1e-3
    assert (np.diff(found[50:60]) < 0).all()
