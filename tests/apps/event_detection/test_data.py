"""Recordings to windows with a class at every step, divided by people."""

import json

import numpy as np
import pytest

from apps.event_detection.config import DataConfig
from apps.event_detection.data import DATA, active, fit, load
from apps.event_detection.sample import LABELS, recording
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data.records import collect

RATE = 10


def folder(tmp_path, people=6, rows=(), records=None, channels=1):
    for number in range(people):
        values = np.arange(100.0)[:, None] * np.ones(channels) + number
        np.save(tmp_path / f"r{number}.npy", values)
    lines = ["record,start,end,label", *rows]
    (tmp_path / "annotations.csv").write_text("\n".join(lines) + "\n")
    if records:
        (tmp_path / "records.csv").write_text("\n".join(["record,split,person", *records]) + "\n")
    return tmp_path


def config_of(source, **more):
    options = {"rate": RATE, "hop": 5, "window": 8, "stride": 4, "look_ahead": 1, **more}
    return DataConfig(source=str(source), **options)


ROWS = [f"r{number},2.0,4.0,cough" for number in range(6)]


def test_people_are_divided_and_nobody_is_in_two(tmp_path):
    records = [f"r{number},,p{number // 2}" for number in range(6)]
    config = config_of(folder(tmp_path, rows=ROWS, records=records), validation=0.3, test=0.3)
    people = {}
    for split in ("train", "validation", "test"):
        people[split] = {record["person"] for record in collect(load(config, split))}
        assert people[split]
    assert not people["train"] & people["validation"]
    assert not people["train"] & people["test"]
    assert DATA.splits(config) == ("all",)
    assert len(collect(load(config, "all"))) == 6


def test_a_person_in_two_splits_is_warned_of(tmp_path, caplog):
    records = ["r0,train,ann", "r1,val,ann", "r2,val,bob"]
    source = folder(tmp_path, rows=ROWS[:3], records=records)
    with caplog.at_level("WARNING"):
        load(config_of(source), "train")
    assert "1 people of train are in validation too (ann)" in caplog.text
    with pytest.raises(NoSplit, match="no test split; it has train, validation"):
        load(config_of(source), "test")


def test_classes_at_the_middle_of_steps(tmp_path):
    rows = ["r0,1.0,3.0,cough", "r0,2.0,2.0,snap", "r1,0.0,0.9,cough"]
    source = folder(tmp_path, 2, rows, ["r0,train,", "r1,val,"])
    config = config_of(source, point=0.6)
    (record,) = collect(load(config, "train"))
    assert json.loads(record["events"]) == [["cough", 10, 29], ["snap", 17, 23]]
    flags = active(fit(config, load(config, "train")), record, 20)
    # Steps of 5 samples, with the middles 2, 7, 12, 17, 22, 27 ...
    assert [np.flatnonzero(column).tolist() for column in flags.T] == [[2, 3, 4, 5], [3, 4]]


def test_what_is_no_event_is_still_told_apart(tmp_path):
    rows = [f"r{number},0,2,sit" for number in range(6)] + ROWS
    config = config_of(folder(tmp_path, rows=rows), background=("sit",))
    fitted = fit(config, load(config, "train"))
    assert (fitted.labels, fitted.others) == (("cough",), ("sit",))
    samples, targets = next(
        iter(DATA.examples(config, fitted, load(config, "train")).as_numpy_iterator())
    )
    assert samples.shape == (40, 1)
    assert targets["active"].shape == (8, 2)
    assert targets["active"].T.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0]]


def test_a_recording_shorter_than_a_window_is_filled(tmp_path):
    config = config_of(folder(tmp_path, rows=ROWS), window=30)
    fitted = fit(config, load(config, "train"))
    ((_, targets), *_) = DATA.examples(config, fitted, load(config, "train")).as_numpy_iterator()
    assert targets["weight"].tolist() == [1] * 20 + [0] * 10


def test_rare_classes_weigh_more(tmp_path):
    rows = [*ROWS, "r0,8,8.5,snap"]
    config = config_of(folder(tmp_path, rows=rows), balance=0.5, memory=2.0, validation=0.0)
    fitted = fit(config, load(config, "all"))
    assert fitted.memory == 4
    shares = np.array([600 - 120 - 5, 120, 5]) / 600
    expected = shares**-0.5 / (shares**0.5).sum()
    np.testing.assert_allclose(fitted.weights, expected)
    (_, targets), *_ = DATA.examples(config, fitted, load(config, "all")).as_numpy_iterator()
    np.testing.assert_allclose(targets["weight"][:5], [expected[0]] * 4 + [expected[1]], rtol=1e-6)
    assert fit(config_of(tmp_path), load(config, "all")).weights == pytest.approx((1, 1, 1))


def test_a_constant_channel_is_left_as_it_is(tmp_path):
    source = folder(tmp_path, rows=ROWS)
    for number in range(6):
        np.save(tmp_path / f"r{number}.npy", np.full([100, 2], [3.0, number]))
    fitted = fit(config_of(source), load(config_of(source), "train"))
    assert fitted.deviation[0] == 1.0


def test_what_cannot_be_learned_from_is_named(tmp_path):
    source = folder(tmp_path, rows=ROWS)
    config = config_of(source, background=("cough",))
    with pytest.raises(UserError, match="train has no events"):
        fit(config, load(config, "train"))
    np.save(tmp_path / "r0.npy", np.ones([100, 2]))
    with pytest.raises(UserError, match=r"recordings have \[1, 2\] channels"):
        load(config_of(source), "all")
    config = config_of(folder(tmp_path, rows=ROWS))
    fitted = fit(config, load(config, "train"))
    with pytest.raises(UserError, match=r"data.look_ahead: 9 is not below data.window, 8"):
        DATA.examples(config_of(source, look_ahead=9), fitted, load(config, "train"))
    other = config_of(source, rate=20)
    examples = DATA.examples(other, fitted, load(other, "train"))
    with pytest.raises(Exception, match=r"has 20 samples a second, and the model 10: resample"):
        list(examples)


def test_the_sample_s_starts_and_stops_are_made_of_the_same_hums():
    values, events = recording(3, 0)
    assert {label for label, _, _ in events} == set(LABELS)
    assert all(0 <= first < last < len(values) for _, first, last in events)
    spectra = {}
    for label in ("start", "stop"):
        parts = [values[first : first + 40, 0] for name, first, _ in events if name == label]
        spectra[label] = np.mean([np.abs(np.fft.rfft(part)) for part in parts], axis=0)
    distance = np.abs(spectra["start"] - spectra["stop"]).max()
    assert distance < 0.5 * spectra["start"].max()
