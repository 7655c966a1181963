"""Series in every layout to splits with their history, windows, and bad input."""

import json

import numpy as np
import pytest

from apps.anomaly_detection.config import DataConfig
from apps.anomaly_detection.data import DATA, Fitted, fit, load
from apps.anomaly_detection.sample import BEGIN, CHANNELS, KINDS, anomalous, series
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.records import collect


def config_of(source, **more):
    return DataConfig(source=str(source), window=8, stride=4, **more)


def written(path, values, labels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.asarray(values, float).reshape(len(values), -1)
    names = [f"c{number}" for number in range(values.shape[1])]
    rows = [",".join([*names, *(["label"] if labels is not None else [])])]
    for place, row in enumerate(values):
        cells = ["nan" if np.isnan(value) else f"{value:g}" for value in row]
        rows.append(",".join([*cells, *([str(int(labels[place]))] if labels is not None else [])]))
    path.write_text("\n".join(rows) + "\n")
    return path


def test_one_table_is_divided_by_time(tmp_path):
    path = written(tmp_path / "pump.csv", np.arange(100), np.arange(100) >= 95)
    config = config_of(path)
    train, validation, test = (collect(load(config, split))[0] for split in DATA.splits(config))
    assert train["values"].ravel().tolist() == list(range(60))
    assert validation["begin"] == 60
    assert len(validation["values"]) == 70  # behind what a stream has read by then
    assert (test["begin"], len(test["values"]), test["labels"].sum()) == (70, 100, 5)


def test_history_is_bounded_as_probation_is(tmp_path):
    path = written(tmp_path / "long.csv", np.arange(1000))
    config = config_of(path, cuts=(0.12, 0.15), history=75)
    assert collect(load(config, "test"))[0]["begin"] == 75
    assert collect(load(config, "validation"))[0]["begin"] == 60


def test_train_is_the_history_of_test(tmp_path):
    written(tmp_path / "train" / "a.csv", np.arange(20), np.zeros(20))
    written(tmp_path / "train" / "b.csv", np.arange(20) + 100, np.zeros(20))
    written(tmp_path / "test" / "b.csv", np.arange(5) + 200, [0, 1, 0, 0, 1])
    config = config_of(tmp_path, validation=0.25)
    assert [len(record["values"]) for record in collect(load(config, "train"))] == [15, 15]
    assert [record["begin"] for record in collect(load(config, "validation"))] == [15, 15]
    (record,) = collect(load(config, "test"))
    assert record["begin"] == 20
    assert record["values"].ravel()[[0, 19, 20]].tolist() == [100, 119, 200]
    assert np.flatnonzero(record["labels"]).tolist() == [21, 24]
    with pytest.raises(NoSplit, match="no all split"):
        load(config, "all")


def test_two_tables_called_train_and_test_are_one_series(tmp_path):
    written(tmp_path / "train.csv", np.arange(20))
    written(tmp_path / "test.csv", np.arange(6))
    assert collect(load(config_of(tmp_path), "test"))[0]["begin"] == 20


def test_telemanom_s_layout(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    np.save(tmp_path / "train" / "A-1.npy", np.zeros([30, 3]))
    np.save(tmp_path / "test" / "A-1.npy", np.ones([20, 3]))
    rows = ["chan_id,anomaly_sequences", 'A-1,"[[2, 4], [18, 19]]"']
    (tmp_path / "labeled_anomalies.csv").write_text("\n".join(rows))
    config = config_of(tmp_path, scored=("channel 0",))
    (record,) = collect(load(config, "test"))
    assert np.flatnonzero(record["labels"]).tolist() == [32, 33, 34, 48, 49]
    assert fit(config, load(config, "train")).scored == (0,)


def test_windows_are_scaled_by_what_came_before_and_know_no_anomaly(tmp_path):
    values = np.sin(np.arange(60)) * 5 + 2
    values[30] = np.nan
    labels = np.zeros(60)
    labels[10:12] = 1
    config = config_of(written(tmp_path / "a.csv", values, labels), cuts=(0.5, 0.9))
    fitted = fit(config, load(config, "train"))
    examples = list(DATA.examples(config, fitted, load(config, "train")).as_numpy_iterator())
    assert len(examples) == len({*range(0, 23, 4), 22})
    inputs, targets = examples[2]  # from step 8 on
    before = values[:8]
    expected = (values[8] - _weighted(before)[0]) / _weighted(before)[1]
    np.testing.assert_allclose(inputs[0, 0], expected, rtol=0.05)
    assert targets["observed"].ravel().tolist() == [1, 1, 0, 0, 1, 1, 1, 1]
    held_out = list(DATA.examples(config, fitted, load(config, "validation")).as_numpy_iterator())
    inputs, targets = held_out[0]
    assert targets["observed"].ravel().tolist()[:2] == [0, 1]  # step 30 is missing


def _weighted(values):
    weights = 0.5 ** (np.arange(len(values))[::-1] / 1000)
    mean = np.average(values, weights=weights)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=weights))


def test_a_series_shorter_than_a_window_is_filled(tmp_path):
    written(tmp_path / "train" / "a.csv", np.arange(9))
    written(tmp_path / "validation" / "a.csv", np.arange(3))
    config = config_of(tmp_path)
    fitted = Fitted(("c0",), (0,), 1000.0, 16)
    config = DataConfig(source=str(tmp_path), window=16)
    ((inputs, targets),) = DATA.examples(config, fitted, load(config, "train")).as_numpy_iterator()
    assert inputs.shape == (16, 2)
    assert targets["observed"].ravel().tolist() == [0, *[1] * 8, *[0] * 7]


BAD = {
    "only anomalies": (np.arange(40), np.ones(40), {}, "train has no normal observation"),
    "all missing": (np.full(40, np.nan), None, {}, "train has no normal observation"),
    "one observation": ([1.0], None, {"cuts": (0.0, 0.0)}, "no series has observations in train"),
    "few observations": (np.arange(9), None, {}, "at least 8; there is nothing to learn from"),
    "no such channel": (np.arange(40), None, {"scored": ("c1",)}, "no channel 'c1'; there are c0"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_learned_from_is_named(tmp_path, name):
    values, labels, more, message = BAD[name]
    config = config_of(written(tmp_path / "a.csv", values, labels), **more)
    with pytest.raises(UserError, match=message):
        fit(config, load(config, "train"))


def test_a_scored_channel_without_a_value_is_named(tmp_path):
    values = np.stack([np.arange(40.0), np.full(40, np.nan)], axis=1)
    config = config_of(written(tmp_path / "a.csv", values))
    with pytest.raises(UserError, match="the channel 'c1' has no value in train"):
        fit(config, load(config, "train"))


def test_labels_outside_the_series_and_overlapping_ones(tmp_path, caplog):
    (tmp_path / "data").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    times = [f"2026-01-01 00:{minute:02}:00" for minute in range(20)]
    rows = ["timestamp,value", *(f"{time},1" for time in times)]
    (tmp_path / "data" / "a.csv").write_text("\n".join(rows))
    windows = tmp_path / "labels" / "combined_windows.json"
    windows.write_text(json.dumps({"a.csv": [[times[3], times[8]], [times[6], times[9]]]}))
    (record,) = collect(load(config_of(tmp_path), "test"))
    assert np.flatnonzero(record["labels"]).tolist() == [3, 4, 5, 6, 7, 8, 9]
    windows.write_text(json.dumps({"a.csv": [[times[3], "2027-01-01 00:00:00"]]}))
    with pytest.raises(UserError, match="no observation at 2027-01-01 00:00:00"):
        load(config_of(tmp_path), "test")


def test_other_channels_than_the_model_s_are_named(tmp_path):
    config = config_of(written(tmp_path / "a.csv", np.ones([40, 2])))
    fitted = Fitted(("c0",), (0,), 1000.0, 8)
    with pytest.raises(Exception, match=r"a has 2 channels \(c0, c1\), and the model 1 \(c0\)"):
        list(DATA.examples(config, fitted, load(config, "train")))


def test_the_sample_s_anomalies_stay_among_usual_values():
    _, x, labels = next(series("train"))
    assert x.shape[1] == len(CHANNELS)
    assert not labels.any()
    low, high = x.min(axis=0), x.max(axis=0)
    for kind in KINDS:
        changed, labels = anomalous(np.random.default_rng(3), [kind] * 4)
        assert labels[:BEGIN].sum() == 0
        part = changed[labels == 1]
        assert (part > low - 0.4).all()
        assert (part < high + 0.4).all()
