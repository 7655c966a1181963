"""Forecasts that are asked for: alone and among others, of anything."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from apps.forecasting import APP
from apps.forecasting.floor import LINEAR, floor
from apps.forecasting.sample import SERIES
from apps.forecasting.score import score
from rnnsuite.cli.main import main
from rnnsuite.core.errors import Refused, UserError
from rnnsuite.core.fields import record_from_json, record_from_text
from rnnsuite.data.frequency import HOUR
from rnnsuite.data.records import collect
from rnnsuite.device.window import Window
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.models import fitted_of
from rnnsuite.tasks.forecasting.naive import FORECASTERS, seasonal_naive

START = 1_767_225_600
HORIZON = 12


def series(length, step=HOUR, scale=1.0, start=START):
    wave = 10 + 3 * np.sin(np.arange(length) / 4)
    return {
        "values": (scale * wave).astype(np.float32),
        "times": start + step * np.arange(length, dtype=np.int64),
        "covariates": np.zeros([length + HORIZON, 1], np.float32),
    }


ODD = {
    "one observation": series(1),
    "shorter than the look-back": series(5),
    "longer than the look-back": series(400),
    "days": series(30, step=24 * HOUR),
    "minutes": series(30, step=60),
    "large": series(30, scale=1e6),
    "small and negative": series(30, scale=-1e-3),
    "constant": {**series(30), "values": np.full([30], 7.0, np.float32)},
    "nothing known": {**series(30), "values": np.full([30], np.nan, np.float32)},
    "the last missing": {**series(3), "values": np.array([1, 2, np.nan], np.float32)},
    "before 1970": series(30, start=-START),
}


@pytest.fixture(scope="module")
def model(forecasting):
    return forecasting.open("saved_model")


@pytest.mark.parametrize("name", ODD)
def test_alone_and_among_others(model, name):
    alone = model.answer([ODD[name]])
    together = model.answer([series(24), ODD[name], series(30, scale=5.0)])
    for key, column in alone.items():
        assert np.isfinite(column[0]).all()
        size = np.abs(column[0]).max()
        np.testing.assert_allclose(together[key][1], column[0], rtol=1e-5, atol=1e-6 * size)


def test_times_go_on(model):
    found = model.answer([series(30), series(30, step=60)])["times"]
    np.testing.assert_array_equal(found[0], START + HOUR * np.arange(30, 30 + HORIZON))
    np.testing.assert_array_equal(found[1], START + 60 * np.arange(30, 30 + HORIZON))


def test_a_larger_scale_gives_a_larger_forecast_and_no_other(model):
    one, large = model.answer([series(30), series(30, scale=1000.0)])["mean"]
    np.testing.assert_allclose(large, 1000 * one, rtol=1e-4)


def test_fewer_steps(model):
    whole = model.answer([series(30)])
    few = model.answer([series(30)], "forecast", {"horizon": 5})
    np.testing.assert_array_equal(few["mean"][0], whole["mean"][0][:5])
    np.testing.assert_array_equal(few["times"][0], whole["times"][0][:5])
    for horizon in (0, HORIZON + 1):
        with pytest.raises(UserError, match=f"between 1 and the {HORIZON} steps"):
            model.answer([series(30)], "forecast", {"horizon": horizon})


def test_series_side_by_side_are_not_what_one_series_is(model, forecasting):
    request = {**series(6), "values": np.ones([6, 2], np.float32)}
    for form in ("run", "saved_model"):
        with pytest.raises(Refused, match=r"shape \[\?\] expected, not \[6, 2\]"):
            forecasting.open(form).answer([request])


def test_other_levels(model):
    whole = model.answer([series(30)])
    known = [float(level) for level in whole["levels"][0]]
    asked = [known[0], (known[0] + known[1]) / 2, known[-1]]
    found = model.answer([series(30)], "forecast", {"levels": asked})
    np.testing.assert_allclose(found["levels"][0], asked, rtol=1e-6)
    quantiles = whole["quantiles"][0]
    np.testing.assert_array_equal(found["quantiles"][0][:, 0], quantiles[:, 0])
    np.testing.assert_array_equal(found["quantiles"][0][:, 2], quantiles[:, -1])
    middle = (quantiles[:, 0] + quantiles[:, 1]) / 2
    np.testing.assert_allclose(found["quantiles"][0][:, 1], middle, rtol=1e-5)
    for level in (0.0, 1.0, float("nan")):
        with pytest.raises(UserError, match="levels must be between"):
            model.answer([series(30)], "forecast", {"levels": [level]})


def test_one_observation_after_the_other(model, forecasting):
    """As the whole history: also where that is shorter than the window."""
    lookback = fitted_of(APP, forecasting.run).lookback
    whole = series(lookback + 6)
    state = np.full([lookback], np.nan, np.float32)
    for place in range(len(whole["values"])):
        covariates = np.zeros([lookback + HORIZON, 1], np.float32)
        one = {
            "window": state,
            "value": whole["values"][place : place + 1],
            "time": whole["times"][place : place + 1],
            "covariates": covariates,
        }
        streamed = model.answer([one], "observe")
        state = streamed["window"][0]
        if place not in (1, 5, lookback + 5):
            continue
        history = {name: whole[name][: place + 1] for name in ("values", "times")}
        history["covariates"] = np.zeros([place + 1 + HORIZON, 1], np.float32)
        for name, column in model.answer([history]).items():
            np.testing.assert_allclose(streamed[name][0], column[0], rtol=1e-5, atol=1e-5)


def test_covariates_that_end_too_early(model):
    short = series(30)
    short["covariates"] = short["covariates"][:-1]
    with pytest.raises(Exception, match=f"covariates must reach {HORIZON} steps beyond"):
        model.answer([short])


class TestRequests:
    fields = APP.serving.fields

    def test_json(self):
        record = record_from_json(
            self.fields,
            {"values": [1, None, 3.5], "times": ["2026-01-01", "2026-01-02", "2026-01-03"]},
        )
        np.testing.assert_array_equal(record["values"], [1, np.nan, 3.5])
        assert list(np.diff(record["times"])) == [24 * HOUR] * 2
        assert record["covariates"].shape == (0, 0)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"values": [1, "two"]}, "values: numbers"),
            ({"values": [1, float("inf")]}, "values: infinite numbers; null stands"),
            ({"values": [[1], 2]}, "values: rows of different lengths"),
            ({"times": ["2026-01-01", "soon"]}, "times: value 2: 'soon' is no date"),
            ({"times": ["2026-01-02", "2026-01-01"]}, "times must rise"),
            ({"times": ["2026-01-01T00:00+01:00", "2026-01-02"]}, "times: value 2: has an offset"),
            ({"times": [1, "2026-01-01"]}, "all texts, or all whole seconds"),
            ({"times": []}, "a list of times is expected"),
            ({"covariates": [1, 2]}, "covariates: numbers of shape"),
        ],
    )
    def test_what_is_wrong_is_named(self, change, said):
        request = {"values": [1, 2], "times": ["2026-01-01", "2026-01-02"], **change}
        with pytest.raises(UserError, match=said):
            record_from_json(self.fields, request)

    def test_in_a_shell(self):
        request = {"values": [1, 2], "times": [START, START + 60]}
        record = record_from_text(self.fields, json.dumps(request))
        assert list(record["times"]) == [START, START + 60]


@pytest.mark.parametrize("name", [name for name in ODD if name != "large"])
def test_the_device_s_window_is_the_graph_s(forecasting, name):
    fitted = fitted_of(APP, forecasting.run)
    settings = json.loads((forecasting.lite / "window.json").read_text())
    record = ODD[name]
    expected = fitted.windowed()(*(record[key][None] for key in ("values", "times", "covariates")))
    device = Window(settings)
    found = device(**record)
    for key, value in found.items():
        np.testing.assert_allclose(value, getattr(expected, key), rtol=1e-4, atol=2e-4)
    np.testing.assert_array_equal(device.times(record["times"]), expected.times[0])


def test_a_person_is_shown_a_line_a_step(forecasting, model):
    answer = {name: column[0] for name, column in model.answer([series(30)]).items()}
    header, *lines = APP.serving.show(fitted_of(APP, forecasting.run), answer)
    assert header.split()[:3] == ["time", "mean", "q0.025"]
    assert len(lines) == HORIZON
    assert lines[0].startswith("2026-01-02 06:00:00")


class TestScore:
    @pytest.fixture(scope="class")
    def records(self, forecasting):
        return collect(APP.data.load(data_section(APP, forecasting.run, None), "test"))

    def test_the_truth_itself_has_no_error(self, records):
        truth = np.stack([record["truth"] for record in records])
        levels = np.tile(np.array([0.025, 0.5, 0.975], np.float32), [len(truth), 1])
        answers = {"mean": truth, "quantiles": np.repeat(truth[..., None], 3, -1), "levels": levels}
        found = score(records, answers)
        assert found.metrics["mae"] == found.metrics["wql"] == 0
        assert found.metrics["standardised_mse"] == 0
        assert not found.notes
        for plot in found.plots.values():
            assert plot().get_axes()

    def test_what_nothing_followed_is_left_out(self, records):
        truth = np.stack([record["truth"] for record in records])
        levels = np.tile(np.array([0.5], np.float32), [len(truth), 1])
        answers = {"mean": truth + 1, "quantiles": truth[..., None] + 1, "levels": levels}
        missing = {"truth": np.full_like(truth[0], np.nan)}
        some = [{**record, **missing} if n == 2 else record for n, record in enumerate(records)]
        assert score(some, answers).metrics["mae"] == pytest.approx(1)
        with pytest.raises(UserError, match="All values of this split are missing"):
            score([{**record, **missing} for record in records], answers)

    def test_what_is_worse_than_the_season_is_told(self, records):
        truth = np.stack([record["truth"] for record in records])
        levels = np.tile(np.array([0.5], np.float32), [len(truth), 1])
        answers = {"mean": truth * 3, "quantiles": truth[..., None] * 3, "levels": levels}
        assert "mase" in score(records, answers).notes

    def test_the_cheap_forecast_beside_it(self, forecasting, records):
        section = data_section(APP, forecasting.run, None)
        found = floor(section, fitted_of(APP, forecasting.run), records)
        assert found["model"] in (*FORECASTERS, LINEAR)
        assert 0 < found["mase"] < 2

    def test_of_what_no_model_knows_better_it_costs_nothing(self, forecasting, records):
        """Where the linear model is worse, that which costs nothing stands beside."""
        section = data_section(APP, forecasting.run, None)
        season = fitted_of(APP, forecasting.run).season
        naive = [
            {**record, "truth": seasonal_naive(record["values"], len(record["truth"]), season)}
            for record in records
        ]
        found = floor(section, fitted_of(APP, forecasting.run), naive)
        assert (found["model"], found["mae"]) == ("seasonal naive", 0)


class TestBackTesting:
    def command(self, model, *words):
        done = CliRunner().invoke(main, ["evaluate", *words, "--model", str(model), "--json"])
        return done.exit_code, done.stdout, done.stderr

    def test_rolling_origin(self, forecasting):
        status, printed, _ = self.command(
            forecasting.run, "forecasting", "--windows", "3", "--step", "7"
        )
        assert status == 0
        result = json.loads(printed)
        assert result["records"] == 3 * SERIES
        assert result["floor"]["model"] == LINEAR
        assert 0 < result["metrics"]["coverage_95"] <= 1

    def test_of_another_application(self, sentiment):
        status, _, said = self.command(sentiment.run, "sentiment", "--step", "7")
        assert status == 2
        assert "data.step: unknown key" in said
