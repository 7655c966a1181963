"""Windows of series against NumPy, of any length, with whatever is missing."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnnsuite.device.window import Window
from rnnsuite.inputs.window import Windowed

NAN = np.nan
HOUR = 3600
WAVES = ((24 * HOUR, 1), (24 * HOUR, 2), (168 * HOUR, 1))


def made(center="mean", scale="deviation", **changes):
    options = {"lookback": 6, "horizon": 2, "step": HOUR, "unit": "second", "waves": WAVES}
    return Windowed(center=center, scale=scale, **{**options, **changes})


def windows(window, values, times=None, covariates=None):
    values = np.atleast_2d(np.array(values, np.float32))
    batch, length = values.shape
    if times is None:
        times = np.tile(np.arange(length) * HOUR, [batch, 1])
    given = () if covariates is None else (tf.constant(covariates),)
    return window(tf.constant(values), tf.constant(times, tf.int64), *given)


SERIES = arrays.arrays(
    np.float32,
    st.tuples(st.just(2), st.integers(1, 9)),
    elements=st.one_of(st.integers(-50, 50).map(float), st.just(NAN)),
)
CENTERS = {
    "last": lambda v: v[-1],
    "mean": np.mean,
    "median": np.median,
    "none": lambda v: 0.0,
}
SCALES = {
    "deviation": lambda v, c: np.std(v),
    "absolute": lambda v, c: np.mean(np.abs(v - c)),
    "range": lambda v, c: np.quantile(v, 0.75) - np.quantile(v, 0.25),
    "none": lambda v, c: 1.0,
}


@settings(max_examples=60, deadline=None)
@given(SERIES, st.sampled_from(sorted(CENTERS)), st.sampled_from(sorted(SCALES)))
def test_values_are_scaled_as_numpy_does(series, center, scale):
    found = windows(made(center, scale), series)
    for row, (values, known) in enumerate(
        zip(found.values.numpy(), found.observed.numpy(), strict=True)
    ):
        window = np.full([6], NAN)
        window[-min(6, len(series[row])) :] = series[row][-6:]
        seen = window[~np.isnan(window)]
        np.testing.assert_array_equal(known, ~np.isnan(window))
        middle = CENTERS[center](seen) if len(seen) else 0.0
        size = SCALES[scale](seen, middle) if len(seen) else 1.0
        size = size if size > 1e-6 * abs(middle) else 1.0
        np.testing.assert_allclose(found.center[row, 0], middle, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found.scale[row, 0], size, rtol=1e-4, atol=1e-4)
        expected = np.where(np.isnan(window), 0, (window - middle) / size)
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-3)


def test_times_go_on_with_each_row_s_own_step():
    times = np.array([[0, 10, 20], [0, HOUR, 2 * HOUR]])
    found = windows(made(), [[1.0, 2, 3], [1, 2, 3]], times)
    np.testing.assert_array_equal(found.times, [[30, 40], [3 * HOUR, 4 * HOUR]])


def test_one_observation_has_the_trained_step():
    found = windows(made(), [[7.0]])
    np.testing.assert_array_equal(found.times, [[HOUR, 2 * HOUR]])
    np.testing.assert_array_equal(found.observed[0], [0, 0, 0, 0, 0, 1])
    assert float(found.center[0, 0]) == 7


def test_months():
    start = int(np.datetime64("2024-01-31", "s").astype(np.int64))
    found = windows(made(step=1, unit="month"), [[7.0]], [[start]])
    assert [str(time.astype("datetime64[s]"))[:10] for time in found.times[0].numpy()] == [
        "2024-02-29",
        "2024-03-31",
    ]
    assert found.features.shape == (1, 8, 2 * len(WAVES))


def test_the_calendar_of_what_was_before_and_of_what_comes():
    window = made()
    short = windows(window, [[1.0, 2, 3]], np.array([[9, 10, 11]]) * HOUR)
    long = windows(window, [[0.0] * 3 + [1, 2, 3]], np.arange(6, 12)[None] * HOUR)
    assert short.features.shape == (1, 8, 2 * len(WAVES))
    np.testing.assert_allclose(short.features, long.features, atol=1e-6)
    assert windows(made(waves=()), [[1.0, 2]]).features is None


def test_covariates_keep_their_places():
    covariates = np.arange(5, dtype=np.float32)[None, :, None]
    found = windows(made(waves=()), [[1.0, 2, 3]], covariates=covariates)
    np.testing.assert_array_equal(found.features[0, :, 0], [0, 0, 0, 0, 1, 2, 3, 4])


@pytest.mark.parametrize("center", CENTERS)
@pytest.mark.parametrize("scale", SCALES)
def test_nothing_is_known_of_a_series_without_observations(center, scale):
    found = windows(made(center, scale), [[NAN, NAN]])
    np.testing.assert_array_equal(found.values, np.zeros([1, 6]))
    assert np.isfinite(found.center).all()
    assert float(found.scale[0, 0]) == 1


@settings(max_examples=20, deadline=None)
@given(SERIES, st.sampled_from([0.0, 0.25, 0.5]))
def test_powers(series, power):
    """Below 0 is 0; in the graph and on a device."""
    window = made(power=power)
    found = windows(window, series)
    level = np.log1p(np.where(series < 0, 0, series))
    bare = windows(made(), ((np.exp(level) ** power) - 1) / power if power else level)
    for one, other in zip(found, bare, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    positive = np.where(series < 0, 0, series)
    np.testing.assert_allclose(window.value(window.level(series)), positive, rtol=1e-4, atol=1e-5)
    assert window.value(tf.constant(-3.0)) == 0
    options = {**dataclasses.asdict(window), "covariates": []}
    times = np.arange(series.shape[1]) * HOUR
    device = Window(options)(series[0], times)
    for name, value in device.items():
        np.testing.assert_allclose(value[0], getattr(found, name)[0], rtol=1e-3, atol=1e-3)
