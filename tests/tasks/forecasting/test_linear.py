"""The linear forecast equals scikit-learn's ridge regression, step by step."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from rnnsuite.tasks.forecasting.linear import RIDGE, LinearForecaster

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    values = rng.normal(size=[120, 6])
    features = rng.normal(size=[120, 3, 2])
    truth = values[:, :3] + features.sum(axis=2) + rng.normal(size=[120, 3])
    truth[::7, 1] = np.nan
    return values, features, truth


def fitted(values, features, truth):
    model = LinearForecaster(3, LEVELS)
    for part in np.array_split(np.arange(len(values)), 4):
        model.learn(values[part], features[part], truth[part])
    model.fit()
    return model


def test_equals_ridge_regression_where_observed(windows):
    values, features, truth = windows
    found = fitted(*windows)(values, features)
    places = np.arange(len(values))
    for step in range(3):
        seen = ~np.isnan(truth[:, step])
        x = np.concatenate([values, features[:, step], np.ones([len(values), 1])], axis=1)
        ridge = Ridge(RIDGE * seen.sum(), fit_intercept=False).fit(x[seen], truth[seen, step])
        left_out = [
            truth[n, step]
            - ridge.fit(x[seen & (places != n)], truth[seen & (places != n), step]).predict(
                x[n : n + 1]
            )[0]
            for n in places[seen]
        ]
        ridge.fit(x[seen], truth[seen, step])
        errors = np.quantile(left_out, LEVELS)
        np.testing.assert_allclose(found[:, step], ridge.predict(x)[:, None] + errors, atol=1e-3)


def test_intervals_hold_what_they_say(windows):
    values, features, truth = windows
    low, middle, high = np.moveaxis(fitted(*windows)(values, features), 2, 0)
    seen = ~np.isnan(truth)
    assert (low < middle).all()
    assert (middle < high).all()
    assert np.mean(((low <= truth) & (truth <= high))[seen]) == pytest.approx(0.82, abs=0.03)


def test_a_step_that_was_never_observed_is_the_center(windows):
    values, features, truth = windows
    truth = np.where(np.arange(3) == 2, np.nan, truth)
    found = fitted(values, features, truth)(values, features)
    assert np.isfinite(found).all()
    assert (found[:, 2] == 0).all()
