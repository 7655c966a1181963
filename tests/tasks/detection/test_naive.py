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
