"""The calendar in the graph against Python's and NumPy's."""

import calendar as python
import datetime

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.data.frequency import Frequency
from rnnsuite.inputs.calendar import DAY, WEEK, YEAR, add_months, features, waves

TIMES = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1))


def stamp(time):
    return int(time.replace(tzinfo=datetime.timezone.utc, microsecond=0).timestamp())


@settings(max_examples=60, deadline=None)
@given(TIMES, st.integers(-400, 400))
def test_months_are_python_s(time, months):
    time = time.replace(microsecond=0)
    found = int(add_months(tf.constant(stamp(time), tf.int64), months))
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    last = python.monthrange(year, month + 1)[1]
    was_last = time.day == python.monthrange(time.year, time.month)[1]
    day = last if was_last else min(time.day, last)
    assert found == stamp(time.replace(year=year, month=month + 1, day=day))


def test_the_grid_s_months_are_the_graph_s():
    for text in ("2024-01-31", "2024-02-29", "2024-01-30", "1999-12-01"):
        start = int(np.datetime64(text, "s").astype(np.int64))
        grid = Frequency(1, "month").times(start, 30)
        np.testing.assert_array_equal(add_months(tf.constant(start, tf.int64), np.arange(30)), grid)


def test_waves_are_those_that_steps_show_and_data_hold():
    assert waves(3600, 2 * YEAR) == (
        (DAY, 1),
        (DAY, 2),
        (WEEK, 1),
        (WEEK, 2),
        (WEEK, 3),
        (YEAR, 1),
        (YEAR, 2),
    )
    assert waves(3600, 8 * DAY) == ((DAY, 1), (DAY, 2), (WEEK, 1), (WEEK, 2), (WEEK, 3))
    assert waves(DAY, 2 * YEAR)[0] == (WEEK, 1)
    assert waves(30 * DAY, 2 * YEAR) == ((YEAR, 1), (YEAR, 2))
    assert waves(3600, DAY - 1) == ()


@pytest.mark.parametrize("time", [0, -1, 1_790_000_000, 3_999_999_999])
def test_features_are_waves(time):
    shown = waves(3600, 2 * YEAR)
    found = features(tf.constant([time], tf.int64), shown)[0].numpy()
    for number, (period, harmonic) in enumerate(shown):
        angle = 2 * np.pi * harmonic * (time % period) / period
        np.testing.assert_allclose(
            found[2 * number : 2 * number + 2], [np.sin(angle), np.cos(angle)], atol=2e-6
        )
