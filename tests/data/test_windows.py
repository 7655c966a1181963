"""Windows of series of different lengths, against slices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.frequency import DAY, Frequency
from rnnsuite.data.series import Series
from rnnsuite.data.windows import check_covered, divided, origins, windows

LOOKBACK = 4
HORIZON = 2


def series(name, length, start=0, past=0, future=0, static=0, ahead=0):
    """Values 0, 1, 2 ...; covariates are values behind the comma."""

    def columns(rows, count, shift):
        return np.arange(rows)[:, None] + shift + np.arange(count) / 10

    return Series(
        name,
        start,
        np.arange(length, dtype=np.float32),
        columns(length, past, 100).astype(np.float32),
        columns(length + ahead, future, 200).astype(np.float32),
        np.full([static], 7.0, np.float32),
    )


def daily(*parts, cuts=("0.5", "0.75")):
    return divided(parts, Frequency(DAY), cuts)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 3))
def test_every_window_is_a_slice(lengths, step):
    data = daily(*(series(str(n), length, start=n * DAY) for n, length in enumerate(lengths)))
    for split in ("train", "validation", "test"):
        pairs = origins(data, split, LOOKBACK, HORIZON, step)
        begins, ends = data.bounds(split)
        if not len(pairs):
            continue
        for pair, window in zip(
            pairs, windows(data, pairs, LOOKBACK, HORIZON).as_numpy_iterator(), strict=True
        ):
            number, place = pair
            assert max(begins[number], 1) <= place <= ends[number] - HORIZON
            assert window["series"] == number
            np.testing.assert_array_equal(window["truth"], place + np.arange(HORIZON))
            before = np.arange(place - LOOKBACK, place)
            np.testing.assert_array_equal(window["values"], np.where(before < 0, np.nan, before))
            np.testing.assert_array_equal(window["times"], (number + before) * DAY)
            assert "covariates" not in window


def test_origins_of_a_step_begin_where_the_split_does():
    data = daily(series("a", 40))
    assert list(origins(data, "test", LOOKBACK, HORIZON, 5)[:, 1]) == [30, 35]
    assert list(origins(data, "train", LOOKBACK, HORIZON, 7)[:, 1]) == [4, 11, 18]
    assert list(origins(data, "train", LOOKBACK, HORIZON, 7, most=2)[:, 1]) == [11, 18]


def test_covariates_of_every_kind_stand_beside():
    data = daily(series("a", 12, past=1, future=2, static=1, ahead=1))
    pairs = np.array([[0, 2], [0, 11]], np.int32)
    early, late = windows(data, pairs, LOOKBACK, HORIZON).as_numpy_iterator()
    nan = np.nan
    np.testing.assert_array_equal(early["covariates"][:, 0], [nan, nan, 100, 101, nan, nan])
    np.testing.assert_allclose(early["covariates"][2:, 1], [200, 201, 202, 203])
    np.testing.assert_allclose(early["covariates"][2:, 2], [200.1, 201.1, 202.1, 203.1], rtol=1e-6)
    np.testing.assert_array_equal(early["covariates"][2:, 3], [7, 7, 7, 7])
    np.testing.assert_array_equal(late["truth"], [11, nan])
    np.testing.assert_allclose(late["covariates"][:, 1], [207, 208, 209, 210, 211, 212])


def test_months_go_back_before_the_series():
    start = int(np.datetime64("2026-03-31", "s").astype(np.int64))
    data = divided([series("a", 5, start=start)], Frequency(1, "month"), ("0.9",))
    (window,) = windows(data, np.array([[0, 1]], np.int32), LOOKBACK, HORIZON).as_numpy_iterator()
    days = window["times"].astype("datetime64[s]").astype("datetime64[D]").astype(str)
    assert list(days) == ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"]


def test_covariates_must_reach_the_end():
    check_covered(daily(series("a", 8, future=1)))
    short = series("a", 8, future=1)
    short.future[6:] = np.nan
    with pytest.raises(UserError, match=r"'a': .* missing from 1970-01-07 on; .* reach 1970-01-08"):
        check_covered(daily(short))


def test_dates_need_times():
    with pytest.raises(UserError, match="these series have no times"):
        divided([series("a", 8)], Frequency(1, "step"), ("2026-01-01",))
