"""Several series as one input of the model."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from apps.forecasting import APP
from apps.forecasting.config import DataConfig, ModelConfig
from apps.forecasting.data import examples, fit, load
from apps.forecasting.floor import floor
from apps.forecasting.model import build, calibrate, loss
from apps.forecasting.neighbours import Identities, Neighbours, apart, side_by_side
from apps.forecasting.score import score
from rnnsuite.app import Trained
from rnnsuite.core.errors import UserError
from rnnsuite.device.window import Window
from rnnsuite.pipeline import config as configuration

LEVELS = (0.1, 0.5, 0.9)
SERIES = 3


@pytest.fixture
def source(tmp_path):
    """Three series of 60 hours; the last is wide and misses a value."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=[60, SERIES]) * [1, 5, 100]
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(60) * 3600
    rows = [
        f"{time}," + ",".join(f"{value:.4f}" for value in row)
        for time, row in zip(times, values, strict=True)
    ]
    rows[55] = rows[55].rpartition(",")[0] + ","
    path = tmp_path / "wide.csv"
    path.write_text("ds,a,b,c\n" + "\n".join(rows) + "\n")
    return path


def config(source, together=True):
    return DataConfig(source=str(source), lookback=8, horizon=4, together=together, center="mean")


def all_of(data):
    return list(data.as_numpy_iterator())


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_each_is_scaled_by_itself(source, split):
    """The windows of all series are those of each alone, side by side."""
    together = config(source)
    alone = config(source, together=False)
    fitted = fit(together, load(together, "train"))
    assert fitted.together == ("a", "b", "c")
    whole = all_of(examples(together, fitted, load(together, split)))
    records = all_of(load(alone, split))
    parts = all_of(examples(alone, fit(alone, None), load(alone, split)))
    place = {(r["id"], r["origin"]): part for r, part in zip(records, parts, strict=True)}
    assert len(place) == SERIES * len(whole)
    for record, (inputs, targets) in zip(all_of(load(together, split)), whole, strict=True):
        for number, name in enumerate(record["id"]):
            own_inputs, own_targets = place[name, record["origin"]]
            for key in ("values", "observed", "ahead"):
                np.testing.assert_allclose(inputs[key][:, number], own_inputs[key], rtol=1e-6)
            np.testing.assert_allclose(inputs["features"], own_inputs["features"], atol=1e-6)
            np.testing.assert_allclose(targets["truth"][:, number], own_targets["truth"])
            np.testing.assert_allclose(targets["weight"][number], own_targets["weight"])


APART = ("data.scale=training", "model.neighbours=false", "data.center=last")
"""Series that share the network alone, each in the scale of its training part."""


@pytest.fixture
def trained(source, request):
    settings = ["data.source=" + str(source), "data.lookback=8", "data.horizon=4"]
    settings += ["data.together=true", "model.segment=2", f"model.levels={list(LEVELS)}"]
    settings += ["data.stride=1", "data.step=1", *getattr(request, "param", ())]
    whole = configuration.load(APP, "tiny", settings)
    fitted = fit(whole.data, None)
    bare = Trained(config=whole, fitted=fitted, model=build(whole.model, fitted))
    calibration = calibrate(bare, all_of(load(whole.data, "train")))
    return dataclasses.replace(bare, calibration=calibration)


@pytest.mark.parametrize("kind", ["segments", "steps"])
@pytest.mark.parametrize("linear", [False, True])
def test_losses_are_means_over_series(source, kind, linear):
    data = config(source)
    fitted = fit(data, None)
    settings = ModelConfig(kind=kind, units=5, segment=2, levels=LEVELS, linear=linear)
    inputs, targets = next(iter(examples(data, fitted, load(data, "test")).batch(2)))
    outputs = build(settings, fitted)(inputs)
    assert outputs["quantiles"].shape == (2, 4, SERIES, len(LEVELS))
    whole = loss(settings, targets, outputs)
    parts = []
    for number in range(SERIES):
        own = {
            name: value[:, number] if value.shape.rank == 2 else value[:, :, number]
            for name, value in targets.items()
        }
        parts.append(loss(settings, own, {name: v[:, :, number] for name, v in outputs.items()}))
    for name, value in whole.items():
        mean = np.mean([part[name] for part in parts], axis=0)
        np.testing.assert_allclose(value, mean, rtol=1e-5)


def test_every_series_is_told_of_the_others(trained):
    record = all_of(load(trained.config.data, "test"))[0]
    ask = APP.serving.signatures(trained)["serving_default"].function
    request = {name: tf.constant(record[name][None]) for name in ("values", "times")}
    before = ask(**request)
    assert before["mean"].shape == (1, 4, SERIES)
    values = record["values"].copy()
    values[3, 0] += 1.0
    after = ask(**{**request, "values": tf.constant(values[None])})
    assert (np.abs(after["mean"] - before["mean"]).max(axis=(0, 1)) > 0).all()


@pytest.mark.parametrize("trained", [APART], indirect=True)
def test_without_neighbours_each_is_told_only_which_one_it_is(trained):
    record = all_of(load(trained.config.data, "test"))[0]
    ask = APP.serving.signatures(trained)["serving_default"].function
    values = record["values"].copy()
    times = tf.constant(record["times"][None])
    before = ask(values=tf.constant(values[None]), times=times)["mean"][0]
    values[3, 0] += 1.0
    after = ask(values=tf.constant(values[None]), times=times)["mean"][0]
    changed = np.abs(after - before).max(axis=0)
    assert changed[0] > 0
    np.testing.assert_array_equal(changed[1:], 0)
    same = np.repeat(values[:, :1], SERIES, axis=1)
    as_each = ask(values=tf.constant(same[None]), times=times)["mean"][0].numpy()
    shift = (as_each - same[-1]) / np.array(trained.fitted.scales)
    assert np.abs(shift[:, 0] - shift[:, 1]).max() > 1e-4


def test_series_are_divided_by_the_deviation_of_their_training_part(source):
    data = dataclasses.replace(config(source), scale="training", center="last")
    fitted = fit(data, None)
    columns = [[*map(float, line.split(",")[1:])] for line in source.read_text().split("\n")[1:49]]
    np.testing.assert_allclose(fitted.scales, np.std(columns, axis=0), rtol=1e-5)
    records = all_of(load(data, "test"))
    made = all_of(examples(data, fitted, load(data, "test")))
    for record, (inputs, targets) in zip(records, made, strict=True):
        last = record["values"][-1]
        if np.isnan(record["values"]).any():
            continue
        expected = (record["values"] - last) / fitted.scales
        np.testing.assert_allclose(inputs["values"], expected, rtol=1e-4, atol=1e-5)
        truth = (record["truth"] - last) / fitted.scales
        known = ~np.isnan(truth)
        np.testing.assert_allclose(targets["truth"][known], truth[known], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(targets["weight"], 1.0, rtol=1e-4)


def test_one_series_alone_has_no_scale_of_its_training(source):
    data = dataclasses.replace(config(source, together=False), scale="training")
    with pytest.raises(UserError, match=r"data\.scale=training needs data\.together=true"):
        fit(data, None)


def test_a_series_hears_a_mean_of_all():
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=[2, 5, SERIES]).astype(np.float32)
    layer = Neighbours(4)
    heard, vectors = layer(x)
    listener, speaker = (np.asarray(weight) for weight in layer.weights)
    energies = np.exp(np.maximum(listener @ speaker.T, 0))
    expected = x @ (energies / energies.sum(axis=1, keepdims=True)).T
    np.testing.assert_allclose(heard, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(vectors, np.broadcast_to(listener.T, [2, 4, SERIES]), rtol=1e-6)
    again = Neighbours.from_config(layer.get_config())
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x)[0], heard)


def test_identities_are_the_same_whatever_the_values():
    layer = Identities(4)
    rng = np.random.default_rng(0)
    found = [layer(rng.normal(size=[2, 5, SERIES]).astype(np.float32)) for _ in range(2)]
    expected = np.broadcast_to(layer.weights[0], [2, 4, SERIES])
    for vectors in found:
        np.testing.assert_array_equal(vectors, expected)
    again = Identities.from_config(layer.get_config())
    again.build([None, 5, SERIES])
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(np.zeros([2, 5, SERIES], np.float32)), expected)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2))
def test_apart_and_side_by_side_again(batch, time, count, more):
    x = np.random.default_rng(0).normal(size=[batch, time, count, *[2] * more]).astype(np.float32)
    rows = apart(x)
    assert rows.shape == (batch * count, time, *[2] * more)
    np.testing.assert_array_equal(rows[count - 1], x[0, :, count - 1])
    np.testing.assert_array_equal(side_by_side(rows, count), x)


@pytest.mark.parametrize("trained", [(), APART], indirect=True, ids=["heard", "apart"])
def test_in_every_form(trained):
    """The whole history, observation by observation, and from a window that a device scaled."""
    record = all_of(load(trained.config.data, "test"))[-1]
    signatures = APP.serving.signatures(trained)
    request = {name: tf.constant(record[name][None]) for name in ("values", "times")}
    expected = signatures["serving_default"].function(**request)
    few = signatures["forecast"].function(
        **request, horizon=tf.constant(2), levels=tf.constant([0.5])
    )
    np.testing.assert_array_equal(few["quantiles"][..., 0], expected["quantiles"][:, :2, :, 1])
    window = tf.fill([1, 8, SERIES], np.nan)
    for place in range(8):
        one = {
            "value": request["values"][:, place : place + 1],
            "time": request["times"][:, place : place + 1],
        }
        streamed = signatures["observe"].function(window=window, **one)
        window = streamed["window"]
    settings = {**dataclasses.asdict(trained.fitted), "levels": list(LEVELS)}
    scaled = Window(settings)(record["values"], record["times"])
    device = signatures["forecast_window"].function(
        **{k: tf.constant(v) for k, v in scaled.items()}
    )
    for found in (streamed, device):
        np.testing.assert_allclose(found["mean"], expected["mean"], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found["quantiles"], expected["quantiles"], rtol=1e-4, atol=1e-4)
    answer = {name: value[0].numpy() for name, value in expected.items()}
    lines = APP.serving.show(trained.fitted, answer)
    assert len(lines) == 1 + 4 * SERIES
    assert lines[2].startswith("b ")


def test_scores_are_those_of_each_series(source, trained):
    together = all_of(load(trained.config.data, "test"))
    alone = all_of(load(dataclasses.replace(trained.config.data, together=False), "test"))
    rng = np.random.default_rng(0)
    answers = {
        "mean": rng.normal(size=[len(together), 4, SERIES]),
        "quantiles": np.sort(rng.normal(size=[len(together), 4, SERIES, 3])),
        "levels": np.tile(np.array(LEVELS, np.float32), [len(together), 1]),
    }
    found = score(together, answers)
    number = {b"a": 0, b"b": 1, b"c": 2}
    row = {record["origin"]: place for place, record in enumerate(together)}
    own = {
        name: np.stack([column[row[r["origin"]]][:, number[r["id"]]] for r in alone])
        for name, column in answers.items()
        if name != "levels"
    }
    expected = score(alone, {**own, "levels": np.repeat(answers["levels"], SERIES, axis=0)})
    assert found.metrics == pytest.approx(expected.metrics)
    config, fitted = trained.config.data, trained.fitted
    assert floor(config, fitted, together) == pytest.approx(floor(config, fitted, alone))


def test_series_of_different_times(tmp_path):
    path = tmp_path / "long.csv"
    rows = [f"a,2026-01-{day:02},{day}" for day in range(1, 29)]
    rows += [f"b,2026-01-{day:02},{day}" for day in range(3, 29)]
    path.write_text("unique_id,ds,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(UserError, match="'b' is not of the same times as 'a'"):
        load(config(path), "train")


def test_covariates_and_paths_are_of_series_alone(source):
    with pytest.raises(UserError, match=r"'shop \d+' has covariates"):
        load(config("sample"), "train")
    data = config(source)
    with pytest.raises(UserError, match="forecasts each series alone"):
        build(ModelConfig(kind="autoregressive"), fit(data, None))
