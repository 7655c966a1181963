"""Recordings with tables of events, in every layout, and what is wrong with them."""

import numpy as np
import pytest
import soundfile

from rnnsuite.core.errors import UserError
from rnnsuite.data.recording_layouts import read_recordings
from rnnsuite.data.recordings import Labelled, RecordingsConfig

RATE = 100


@pytest.fixture
def folder(tmp_path):
    samples = np.sin(np.arange(500)).astype(np.float32)
    soundfile.write(tmp_path / "one.wav", samples, RATE)
    soundfile.write(tmp_path / "two.flac", np.stack([samples[:300]] * 1, axis=1), RATE)
    rows = ["record,start,end,label", "one,0.5,1.5,cough", "one,3,3.2,", "two,2.99,2.99,snap"]
    (tmp_path / "annotations.csv").write_text("\n".join(rows))
    return tmp_path


def test_sound_files_with_a_table_of_events(folder):
    (recordings,) = read_recordings(folder, RecordingsConfig()).values()
    one, two = recordings
    assert (one.id, one.person, one.rate, one.values.shape) == ("one", "one", RATE, (500, 1))
    assert one.events == (Labelled("cough", 50, 149),)
    assert two.events == (Labelled("snap", 299, 299),)


def test_points_in_samples_splits_and_people(folder):
    (folder / "annotations.csv").unlink()
    lines = ["record\tsample\tclass", 'one\t7\t"', "two\t9\tN", "two\t3\t"]
    (folder / "beats_annotations.tsv").write_text("\n".join(lines))
    records = "record\tsplit\tperson\none\ttrain\tann\ntwo\tval\tbob\n"
    (folder / "beats_records.tsv").write_text(records)
    config = RecordingsConfig(start="sample", label="class", unit="samples")
    by_split = read_recordings(folder, config)
    assert by_split.keys() == {"train", "validation"}
    assert by_split["train"][0].events == (Labelled('"', 7, 7),)
    assert by_split["validation"][0].person == "bob"


def test_arrays_and_tables(tmp_path):
    np.save(tmp_path / "a.npy", np.ones([20, 3]))
    np.savez(tmp_path / "b.npz", x=np.ones(20), rate=50.0)
    (tmp_path / "c.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "events.csv").write_text("record,start,label\na,0.1,z\n")
    config = RecordingsConfig(rate=10)
    (recordings,) = read_recordings(tmp_path, config).values()
    assert [(item.id, item.rate, item.values.shape) for item in recordings] == [
        ("a", 10, (20, 3)),
        ("b", 50, (20, 1)),
        ("c", 10, (2, 2)),
    ]
    assert recordings[0].events == (Labelled("z", 1, 1),)
    assert recordings[1].events == ()


def test_without_a_table_nothing_is_known(folder):
    (folder / "annotations.csv").unlink()
    (recordings,) = read_recordings(folder, RecordingsConfig()).values()
    assert recordings[0].events is None


def test_smartphone_activities(tmp_path):
    (tmp_path / "activity_labels.txt").write_text("1 WALKING\n7 STAND_TO_SIT\n")
    labels = np.array([[1, 1, 1, 1, 40], [1, 1, 7, 41, 50], [2, 3, 7, 5, 9]])
    arrays = {"01_01": np.ones([60, 6], np.int16), "02_03": np.ones([30, 6], np.int16)}
    np.savez(tmp_path / "part.npz", labels=labels, val_subjects=[3], units=720.0, **arrays)
    by_split = read_recordings(tmp_path, RecordingsConfig())
    (first,) = by_split["train"]
    assert first.events == (Labelled("WALKING", 0, 39), Labelled("STAND_TO_SIT", 40, 49))
    assert by_split["validation"][0].person == "03"
    labels[0, 4] = 61
    np.savez(tmp_path / "part.npz", labels=labels, **arrays)
    with pytest.raises(UserError, match="activity 1 from 1 to 61 is not within 01_01"):
        read_recordings(tmp_path, RecordingsConfig())


BAD = {
    "outside": ("one,4.5,5.5,x", r"line 2: an event from 4.5 to 5.5 is not within one.wav"),
    "backwards": ("one,2,1,x", "an event from 2 to 1 is not within"),
    "no number": ("one,soon,1,x", "line 2: start is 'soon', which is no number"),
    "no start": ("one,,1,x", "line 2: an event without start or end"),
    "no such recording": ("three,1,2,x", "no recording 'three'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_named(folder, name):
    row, message = BAD[name]
    (folder / "annotations.csv").write_text(f"record,start,end,label\n{row}\n")
    with pytest.raises(UserError, match=message):
        read_recordings(folder, RecordingsConfig())


def test_bad_files_are_named(folder):
    with pytest.raises(UserError, match="no folder"):
        read_recordings(folder / "elsewhere", RecordingsConfig())
    np.save(folder / "three.npy", np.ones([5, 1]))
    with pytest.raises(UserError, match=r"three.npy does not say how many samples .* data.rate"):
        read_recordings(folder, RecordingsConfig())
    np.save(folder / "three.npy", np.array([1.0, np.nan]))
    with pytest.raises(UserError, match=r"three.npy: sample 1 is no finite number"):
        read_recordings(folder, RecordingsConfig(rate=5))
    (folder / "three.npy").unlink()
    (folder / "one.wav").write_bytes(b"RIFF no sound")
    with pytest.raises(UserError, match=r"one.wav cannot be read as sound"):
        read_recordings(folder, RecordingsConfig())
