"""Windows of series: what is in which split, and that nothing of the future is."""

import dataclasses

import numpy as np
import pytest

from apps.forecasting.config import DataConfig
from apps.forecasting.data import corpus, examples, fit, load
from apps.forecasting.sample import SERIES, STEPS, process, series, true_quantiles
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.tasks.forecasting.metrics import Forecasts, accuracy

SMALL = {"lookback": 6, "horizon": 3, "center": "mean"}


def hourly(path, *values, name="y"):
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(len(values[0])) * 3600
    rows = [
        f"{time},{','.join(str(each) for each in row)}"
        for time, row in zip(times, zip(*values, strict=True), strict=True)
    ]
    names = ",".join(f"{name}{n or ''}" for n in range(len(values)))
    path.write_text(f"ds,{names}\n" + "\n".join(rows) + "\n")
    return DataConfig(source=str(path), **SMALL)


def read(config, split):
    return list(load(config, split).as_numpy_iterator())


@pytest.fixture
def ramp(tmp_path):
    return hourly(tmp_path / "a.csv", range(40))


class TestSplits:
    def test_no_window_reaches_into_the_next_split(self, ramp):
        ends = {"train": 32, "validation": 36, "test": 40}
        begins = {"train": 0, "validation": 32, "test": 36}
        for split, end in ends.items():
            for record in read(ramp, split):
                assert begins[split] <= record["origin"] <= end - 3
                np.testing.assert_array_equal(record["truth"], record["origin"] + np.arange(3))
                np.testing.assert_array_equal(
                    record["values"][-3:], record["origin"] + np.arange(-3, 0)
                )

    def test_every_origin_once_and_the_last_batch_too(self, ramp):
        origins = {split: [r["origin"] for r in read(ramp, split)] for split in ("train", "test")}
        assert sorted(origins["train"]) == list(range(6, 30))
        assert origins["train"] != sorted(origins["train"])
        assert origins["test"] == [36, 37]

    @pytest.mark.parametrize(
        ("cuts", "first"),
        [
            (("0.5", "0.7"), 20),
            (("20", "30"), 20),
            (("-20", "-10"), 20),
            (("2026-01-01 20:00",), 20),
        ],
    )
    def test_cuts(self, ramp, cuts, first):
        config = dataclasses.replace(ramp, cuts=cuts)
        assert corpus(config).ends["train"] == [first]

    @pytest.mark.parametrize(
        ("cuts", "said"),
        [
            (("0.9", "0.5"), "do not rise"),
            (("half",), "no share"),
            (("1.5",), "neither a share"),
            (("0.99", "0.995"), "no series has 3 observations in validation"),
        ],
    )
    def test_cuts_that_are_none(self, ramp, cuts, said):
        with pytest.raises(UserError, match=said):
            load(dataclasses.replace(ramp, cuts=cuts), "validation")

    def test_there_is_no_other_split(self, ramp):
        with pytest.raises(NoSplit, match="have no other"):
            load(ramp, "other")

    def test_train_and_test_in_files_of_their_own(self, tmp_path):
        hourly(tmp_path / "train.csv", range(30))
        hourly(tmp_path / "test.csv", range(30, 34))
        config = DataConfig(source=str(tmp_path), cuts=("-4",), **SMALL)
        (first, _) = read(config, "test")
        np.testing.assert_array_equal(first["truth"], [30, 31, 32])
        np.testing.assert_array_equal(first["values"], np.arange(24, 30))
        assert [record["origin"] for record in read(config, "validation")] == [26, 27]


class TestWindows:
    def test_a_short_series_has_nothing_before_it(self, tmp_path):
        config = hourly(tmp_path / "a.csv", range(1, 31))
        config = dataclasses.replace(config, lookback=40)
        (first, *_) = sorted(read(config, "train"), key=lambda record: record["origin"])
        assert np.isnan(first["values"][: -first["origin"]]).all()
        steps = np.diff(first["times"])
        assert (steps == 3600).all()

    def test_missing_truth_is_not_trained_on(self, tmp_path):
        values = [float(n) for n in range(30)]
        values[10] = "nan"
        config = hourly(tmp_path / "a.csv", values)
        records = load(config, "train")
        fitted = fit(config, records)
        found = list(examples(config, fitted, records).as_numpy_iterator())
        assert {tuple(targets["observed"]) for _, targets in found} == {
            (1, 1, 1),
            (0, 1, 1),
            (1, 0, 1),
            (1, 1, 0),
        }
        for inputs, targets in found:
            assert np.isfinite(targets["truth"]).all()
            assert np.isfinite(inputs["values"]).all()

    def test_past_covariates_end_where_the_future_begins(self, tmp_path):
        text = "ds,y,wind,price\n" + "".join(
            f"2026-01-{day:02},{day},{day + 100},{day + 200}\n" for day in range(1, 31)
        )
        (tmp_path / "a.csv").write_text(text)
        config = DataConfig(
            source=str(tmp_path / "a.csv"), past=("wind",), future=("price",), **SMALL
        )
        (record, *_) = read(config, "test")
        wind, price = record["covariates"].T
        last = record["values"][-1]
        np.testing.assert_array_equal(wind[:6], np.arange(last - 5, last + 1) + 100)
        assert np.isnan(wind[6:]).all()
        np.testing.assert_array_equal(price, np.arange(last - 5, last + 4) + 200)

    def test_a_covariate_of_the_future_that_ends_too_early(self, tmp_path):
        rows = [f"2026-01-{day:02},{day},{day if day < 29 else ''}" for day in range(1, 31)]
        (tmp_path / "a.csv").write_text("ds,y,price\n" + "\n".join(rows) + "\n")
        config = DataConfig(source=str(tmp_path / "a.csv"), future=("price",), **SMALL)
        with pytest.raises(UserError, match="missing from 2026-01-29 on; it must reach 2026-01-30"):
            load(config, "train")

    def test_later_values_change_no_window_before_them(self, tmp_path):
        """No scaler, and nothing else, is fitted with what comes after train."""
        rng = np.random.default_rng(0)
        values = rng.normal(size=40)
        config = hourly(tmp_path / "a.csv", values)
        before = read(config, "train")
        hourly(tmp_path / "a.csv", np.concatenate([values[:32], values[32:] * 100]))
        for one, other in zip(before, read(config, "train"), strict=True):
            for name, value in one.items():
                np.testing.assert_array_equal(value, other[name])

    def test_a_constant_series(self, tmp_path):
        config = hourly(tmp_path / "a.csv", [5.0] * 40)
        records = load(config, "train")
        for inputs, targets in examples(config, fit(config, records), records).as_numpy_iterator():
            assert not inputs["values"].any()
            assert not targets["truth"].any()
            assert targets["weight"] == 1


@pytest.mark.parametrize(
    ("odd", "said"), [(3.0, ""), (-2.0, "-2 in 'series'"), (1.5, "1.5 in 'series'"), (np.nan, "")]
)
def test_what_is_no_count_is_remembered(tmp_path, odd, said):
    config = hourly(tmp_path / "a.csv", [*range(20), odd, *range(20)])
    assert fit(config, load(config, "train")).no_count == said


class TestSample:
    def test_noise_is_what_is_claimed(self):
        for number, (_, values, _) in zip(range(3), series(), strict=False):
            mean, deviation, _, _ = process(number)
            z = (values - mean) / deviation
            assert abs(z.mean()) < 0.1
            assert abs(z.std() - 1) < 0.06

    def test_no_other_quantiles_are_better_than_its_own(self):
        levels = (0.1, 0.5, 0.9)
        name, values, _ = next(series())
        places = np.arange(STEPS)
        best = true_quantiles(name, places, levels)
        scores = [
            accuracy(
                Forecasts(
                    values[None], best[None, :, 1] * factor, best[None] * factor, levels, np.ones(1)
                )
            )["wql"]
            for factor in (1.0, 0.98, 1.02)
        ]
        assert scores[0] < min(scores[1:])

    def test_it_is_divided_and_has_its_promotion(self):
        config = DataConfig(**SMALL, step=50)
        records = read(config, "test")
        assert {record["covariates"].shape for record in records} == {(9, 1)}
        assert len({record["id"] for record in records}) == SERIES


class TestPower:
    def test_errors_are_in_proportion(self, tmp_path):
        """Targets in logarithms, and weights by which errors are those of logarithms."""
        values = np.random.default_rng(0).uniform(1, 1000, 40)
        config = dataclasses.replace(hourly(tmp_path / "a.csv", values), power=0.0)
        fitted = fit(config, None)
        assert fitted.power == 0
        records = read(config, "train")
        found = examples(config, fitted, load(config, "train")).as_numpy_iterator()
        for record, (_, targets) in zip(records, found, strict=True):
            level = np.log1p(record["truth"])
            center = np.log1p(record["values"]).mean()
            expected = (level - center) / targets["weight"]
            np.testing.assert_allclose(targets["truth"], expected, rtol=1e-3, atol=1e-4)

    def test_what_is_below_0_is_named(self, tmp_path):
        config = dataclasses.replace(hourly(tmp_path / "a.csv", [*range(20), -3, 4]), power=0.5)
        with pytest.raises(UserError, match=r"data\.power: -3 in 'series' is below 0"):
            fit(config, None)
