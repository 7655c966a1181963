"""Series from tables of every layout, and what is wrong with them."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.frequency import DAY, HOUR, Frequency, infer, seconds, written
from rnnsuite.data.notes import Skips
from rnnsuite.data.series import read_series
from rnnsuite.data.series_config import SeriesConfig
from tests.processes import PEAK, peak, reset_peak


def read(tmp_path, text, **changes):
    path = tmp_path / "a.csv"
    path.write_text(text)
    return read_series(path, SeriesConfig(**changes), Skips("error"))


HOURS = "ds,y\n2026-01-01 00:00,1\n2026-01-01 01:00,2\n2026-01-01 02:00,3\n"


class TestFrequency:
    @settings(max_examples=40, deadline=None)
    @given(
        st.sampled_from(
            [Frequency(HOUR), Frequency(900), Frequency(7 * DAY), Frequency(1, "month")]
        ),
        st.dates(datetime.date(1990, 1, 1), datetime.date(2040, 1, 1)),
        st.integers(3, 40),
    )
    def test_what_is_written_is_found(self, frequency, day, count):
        start = int(seconds([day.isoformat()])[0])
        times = frequency.times(start, count)
        np.testing.assert_array_equal(frequency.places(times, start), np.arange(count))

    @pytest.mark.parametrize(
        ("texts", "name"),
        [
            (["2026-01-31", "2026-02-28", "2026-03-31"], "month"),
            (["2026-01-01", "2026-04-01", "2026-10-01", "2027-01-01"], "3 months"),
            (["2020-06-01", "2021-06-01", "2022-06-01"], "12 months"),
            (
                ["2026-01-01 00:00", "2026-01-01 00:15", "2026-01-01 01:00", "2026-01-01 01:15"],
                "15 minutes",
            ),
            (["2026-01-01", "2026-01-08", "2026-01-15"], "week"),
        ],
    )
    def test_it_is_inferred(self, texts, name):
        frequency = infer([seconds(texts)])
        assert str(frequency) == name
        assert Frequency.parse(name) == frequency

    @pytest.mark.parametrize("text", ["", "0 hours", "fortnight", "1.5 days", "-1 day"])
    def test_what_is_none(self, text):
        with pytest.raises(UserError, match="is no frequency"):
            Frequency.parse(text)

    def test_offsets_become_utc(self):
        found = seconds(
            ["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", "2026-03-29T02:30Z"]
        )
        assert list(np.diff(found)) == [HOUR, HOUR]
        assert written(found[0]) == "2026-03-29 00:30:00"


class TestLayouts:
    def test_long(self, tmp_path):
        text = (
            "unique_id,ds,y,price,size\n"
            "b,2026-01-02,5,1,9\n"
            "a,2026-01-01,1,7,8\n"
            "a,2026-01-02,,7,8\n"
            "a,2026-01-03,3,6,8\n"
            "b,2026-01-03,6,2,9\n"
            "b,2026-01-04,,3,9\n"
        )
        (b, a), frequency = read(tmp_path, text, future=("price",), static=("size",))
        assert (a.id, b.id, str(frequency)) == ("a", "b", "day")
        np.testing.assert_array_equal(a.values, [1, np.nan, 3])
        np.testing.assert_array_equal(b.values, [5, 6])
        np.testing.assert_array_equal(b.future[:, 0], [1, 2, 3])
        assert (list(a.static), list(b.static)) == ([8], [9])

    def test_wide(self, tmp_path):
        text = "date,u,v\n2016-07-01 00:00:00,5,1\n2016-07-01 01:00:00,6,2\n"
        (u, v), frequency = read(tmp_path, text, time="date")
        assert (u.id, v.id, str(frequency)) == ("u", "v", "hour")
        np.testing.assert_array_equal(v.values, [1, 2])

    def test_wide_without_times(self, tmp_path):
        (one, two), frequency = read(tmp_path, "1,2\n64.5,67\n62,68\n")
        assert (one.id, two.id, str(frequency)) == ("1", "2", "step")
        np.testing.assert_array_equal(one.values, [64.5, 62])

    def test_rows(self, tmp_path):
        text = '"V1","V2","V3","V4"\n"H1","6","5",""\n"H2","2","1","3"\n'
        (one, two), _ = read(tmp_path, text, id="V1")
        assert (one.id, list(one.values)) == ("H1", [6, 5])
        assert (two.id, list(two.values)) == ("H2", [2, 1, 3])

    def test_two_rows_of_one_series(self, tmp_path):
        with pytest.raises(UserError, match="line 3: 'H1' has line 2 already"):
            read(tmp_path, "V1,V2\nH1,6\nH1,5\n", id="V1")

    @pytest.mark.parametrize(
        ("first", "second", "name"),
        [("1960-01-01", "1960-01-02", "day"), ("1960", "1961", "step"), ("7", "8", "step")],
    )
    def test_dates_before_1970_are_dates_and_small_numbers_are_none(
        self, tmp_path, first, second, name
    ):
        _, frequency = read(tmp_path, f"ds,y\n{first},1\n{second},2\n")
        assert str(frequency) == name

    def test_one_series_without_a_name(self, tmp_path):
        (series,), frequency = read(tmp_path, HOURS)
        assert (series.id, list(series.values)) == ("series", [1, 2, 3])
        assert frequency == Frequency(HOUR)
        assert written(series.start) == "2026-01-01"


class TestTimes:
    def test_gaps_are_masked_and_told(self, tmp_path, caplog):
        text = HOURS + "2026-01-01 05:00,6\n2026-01-01 06:00,7\n"
        (series,), _ = read(tmp_path, text)
        np.testing.assert_array_equal(series.values, [1, 2, 3, np.nan, np.nan, 6, 7])
        assert "2 times are missing" in caplog.text
        assert "after 2026-01-01 02:00:00" in caplog.text

    def test_unordered_rows_are_sorted_and_told(self, tmp_path, caplog):
        caplog.set_level("INFO")
        text = "ds,y\n2026-01-03,3\n2026-01-01,1\n2026-01-02,2\n"
        (series,), _ = read(tmp_path, text)
        assert list(series.values) == [1, 2, 3]
        assert "line 3: earlier than the row before" in caplog.text

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                HOURS + "2026-01-01 01:00,9\n",
                r"line 5: 'series' has 2026-01-01 01:00:00 already in line 3.*autumn",
            ),
            (
                HOURS + "2026-01-01 02:30,9\n",
                r"line 5: 2026-01-01 02:30:00 .*no whole number of steps of 1 hour",
            ),
            (HOURS + "soon,9\n", r"line 5: 'soon' is no date or time"),
            (
                HOURS + "2026-01-01T03:00:00+01:00,9\n",
                r"line 5: has an offset from UTC where others",
            ),
            (HOURS + "9999-01-01,9\n", r"line 5: the year 9999"),
            (HOURS + "2026-01-01 03:00,inf\n", "line 5: y is infinite"),
            (HOURS + "2026-01-01 03:00,many\n", "line 5: y is 'many', which is no number"),
            ("ds,y\n2026-01-01,1\n", "no series has two observations; say data.frequency"),
            ("ds,y\n", "holds no observations"),
            (HOURS + "2826-01-01 00:00,9\n", "the year 2826"),
            (HOURS + "2226-01-01 00:00,9\n", "line 5: 2226-01-01 is 17.* steps of 1 hour after"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, text, message):
        with pytest.raises(UserError, match=message):
            read(tmp_path, text)


@pytest.mark.skipif(not PEAK.exists(), reason="Linux tells what memory a process held at most")
def test_many_rows_take_bounded_memory(tmp_path):
    """A million rows take 280 MiB and some seconds; these are a tenth of them."""
    path = tmp_path / "a.csv"
    hours = seconds(["2026-01-01"])[0] + HOUR * np.arange(500)
    times = [written(hour) for hour in hours]
    rows = [f"s{n},{time},{n}.5" for n in range(200) for time in times]
    path.write_text("unique_id,ds,y\n" + "\n".join(rows))
    del rows
    reset_peak()
    before = peak()
    series, _ = read_series(path, SeriesConfig(), Skips("error"))
    assert peak() - before < 60 * 2**20
    assert len(series) == 200
    assert all(len(each.values) == 500 for each in series)
