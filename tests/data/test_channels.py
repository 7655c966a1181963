"""Series of several channels with labels, in every layout, and what is wrong with them."""

import json

import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.channel_layouts import read_channels
from rnnsuite.data.channels import Channels, ChannelsConfig, channel_names, read_table, runs

CONFIG = ChannelsConfig()
ROWS = [
    "timestamp,pressure,flow,label",
    "2026-01-01 00:00:00,1.5,10,0",
    "2026-01-01 00:05:00,,11,1",
    "2026-01-01 00:05:00,3,12,1",
    "2026-03-01 00:10:00,4,nan,0",
]


def written(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_table(tmp_path):
    """A gap of two months is no row, and two rows of one time are two."""
    series = read_table(written(tmp_path / "pump.csv", ROWS), CONFIG)
    assert (series.id, series.names) == ("pump", ("pressure", "flow"))
    np.testing.assert_array_equal(series.values[:, 0], [1.5, np.nan, 3, 4])
    assert np.diff(series.times).tolist() == [300, 0, 5_097_900]
    assert series.anomalies == ((1, 2),)


def test_without_times_and_labels(tmp_path):
    series = read_table(written(tmp_path / "a.csv", ["x,y", "1,2", "3,4"]), CONFIG)
    assert series.times.tolist() == [0, 1]
    assert series.anomalies is None
    numbered = read_table(written(tmp_path / "b.csv", ["timestamp,x", "7,2", "9,4"]), CONFIG)
    assert numbered.times.tolist() == [7, 9]


def test_times_that_go_back_are_told_and_stay(tmp_path, caplog):
    """Clocks are put back in autumn; the observations still came one after the other."""
    rows = ["timestamp,x", "2026-01-02,1", "2026-01-01,2"]
    series = read_table(written(tmp_path / "a.csv", rows), CONFIG)
    assert series.values[:, 0].tolist() == [1, 2]
    assert "line 3: the time 2026-01-01 is before 2026-01-02" in caplog.text


def test_a_part_has_its_part_of_the_anomalies(tmp_path):
    rows = ["x,label", *(f"{n},{int(n in (2, 3, 4, 8))}" for n in range(10))]
    series = read_table(written(tmp_path / "a.csv", rows), CONFIG)
    assert series.anomalies == ((2, 4), (8, 8))
    part = series.part(3, 8)
    assert part.values[:, 0].tolist() == [3, 4, 5, 6, 7]
    assert part.anomalies == ((0, 1),)


def test_folders_and_their_splits(tmp_path):
    for name in ("train/a", "train/deep/b", "test/a"):
        written(tmp_path / f"{name}.csv", ["x,y", "1,2"])
    found = read_channels(tmp_path, CONFIG)
    assert {split: [s.id for s in part] for split, part in found.items()} == {
        "train": ["a", "b"],
        "test": ["a"],
    }
    assert list(read_channels(tmp_path / "train", CONFIG)) == ["all"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["timestamp,x", "2026-01-02,1", "noon,2"], "line 3"),
        (["x,label", "1,0", "2,2"], "line 3: label is '2', neither 0 nor 1"),
        (["x,y", "1,high"], "line 2: y is 'high', which is no number"),
        (["x,y", "1,inf"], "line 2: y is infinite"),
        (["timestamp,label", "2026-01-01,1"], "holds no channels"),
        (["x,y"], "holds no observations"),
        (["timestamp,x", f"{9 * 10**20},1"], "too many digits"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, rows, said):
    with pytest.raises(UserError, match=said):
        read_channels(written(tmp_path / "a.csv", rows), CONFIG)


def test_other_channels_and_nothing_at_all(tmp_path):
    written(tmp_path / "a.csv", ["x,y", "1,2"])
    written(tmp_path / "b.csv", ["x", "1"])
    with pytest.raises(UserError, match="b has the channels x, and a x, y"):
        read_channels(tmp_path, CONFIG)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no \.csv"):
        read_channels(tmp_path / "empty", CONFIG)
    with pytest.raises(UserError, match="There is no"):
        read_channels(tmp_path / "nowhere", CONFIG)


class TestNab:
    def folder(self, tmp_path, windows):
        rows = ["timestamp,value", *(f"2026-01-01 00:{n:02}:00,{n}" for n in range(10))]
        written(tmp_path / "data" / "real" / "a.csv", rows)
        written(
            tmp_path / "labels" / "combined_windows.json", [json.dumps({"real/a.csv": windows})]
        )
        return tmp_path

    def test_windows_are_steps(self, tmp_path):
        spans = [["2026-01-01 00:02:00.000000", "2026-01-01 00:04:00.000000"]]
        ((series,),) = read_channels(self.folder(tmp_path, spans), CONFIG).values()
        assert (series.id, series.anomalies) == ("real/a.csv", ((2, 4),))

    def test_none_is_a_label_too(self, tmp_path):
        ((series,),) = read_channels(self.folder(tmp_path, []), CONFIG).values()
        assert series.anomalies == ()

    def test_outside_of_the_series(self, tmp_path):
        spans = [["2025-01-01 00:02:00", "2025-01-01 00:04:00"]]
        with pytest.raises(UserError, match=r"real/a\.csv has no observation at 2025-01-01 00:02"):
            read_channels(self.folder(tmp_path, spans), CONFIG)

    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            ('["a.csv"]', "does not hold lists"),
            ('{"real/a.csv": [["2026-01-01 00:02:00"]]}', "does not hold lists"),
            ('{"real/a.csv": [["then", "now"]]}', r"real/a\.csv: .*where a window begins"),
            ('{"real/b.csv": []}', "names 'real/b.csv', of which"),
            ('{"../../outside.csv": []}', "names .*outside.csv, which lies outside"),
        ],
    )
    def test_labels_that_are_none(self, tmp_path, labels, said):
        root = self.folder(tmp_path / "nab", [])
        written(tmp_path / "outside.csv", ["value", "1"])
        (root / "labels" / "combined_windows.json").write_text(labels)
        with pytest.raises(UserError, match=said):
            read_channels(root, CONFIG)


class TestTelemanom:
    HEADER = "chan_id,spacecraft,anomaly_sequences,class,num_values"

    def labels(self, tmp_path, *rows):
        written(tmp_path / "labeled_anomalies.csv", [self.HEADER, *rows])
        return tmp_path

    def arrays(self, tmp_path, name="P-1", length=20, width=3):
        for split in ("train", "test"):
            (tmp_path / split).mkdir(exist_ok=True)
            values = np.arange(length * width, dtype=np.float64).reshape(length, width)
            np.save(tmp_path / split / f"{name}.npy", values)

    def test_arrays(self, tmp_path):
        self.arrays(tmp_path)
        self.labels(
            tmp_path, 'P-1,X,"[[2, 5], [9, 9]]",[point],20', 'P-1,X,"[[12, 13]]",[point],20'
        )
        found = read_channels(tmp_path, CONFIG)
        (train,), (test,) = found["train"], found["test"]
        assert train.anomalies == ()
        assert test.anomalies == ((2, 5), (9, 9), (12, 13))
        assert test.values.shape == (20, 3)
        assert test.values.dtype == np.float32

    def test_one_file_of_all(self, tmp_path):
        content = {}
        for split in ("train", "test"):
            content[f"P-1/{split}/value"] = np.arange(4, dtype=np.float32)
            content[f"P-1/{split}/command"] = np.ones([4, 2], np.uint8)
        np.savez(tmp_path / "part.npz", **content)
        self.labels(tmp_path, 'P-1,X,"[[1, 2]]",[point],4')
        (test,) = read_channels(tmp_path, CONFIG)["test"]
        np.testing.assert_array_equal(test.values, [[n, 1, 1] for n in range(4)])

    def test_labels_that_overlap(self, tmp_path, caplog):
        self.arrays(tmp_path)
        self.labels(tmp_path, 'P-1,X,"[[2, 5], [4, 8]]",[point],20')
        (test,) = read_channels(tmp_path, CONFIG)["test"]
        assert test.anomalies == ((2, 8),)
        assert "labels overlap" in caplog.text

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ('P-1,X,"[[2, 25]]",[point],20', "from 2 to 25 is not within the 20 steps"),
            ('P-1,X,"[[5, 2]]",[point],20', "from 5 to 2 is not within"),
            ('P-1,X,"[2, 5]",[point],20', r"line 2: '\[2, 5\]' is no list"),
            ("P-1,X,often,[point],20", "line 2: 'often' is no list"),
            ('P-9,X,"[[2, 5]]",[point],20', "names 'P-9', of which .* has no train series"),
        ],
    )
    def test_labels_that_are_none(self, tmp_path, row, said):
        self.arrays(tmp_path)
        with pytest.raises(UserError, match=said):
            read_channels(self.labels(tmp_path, row), CONFIG)

    def test_files_that_are_no_numbers(self, tmp_path):
        self.arrays(tmp_path)
        self.labels(tmp_path, 'P-1,X,"[[2, 5]]",[point],20')
        np.save(tmp_path / "test" / "P-1.npy", np.array([{"a": 1}]), allow_pickle=True)
        with pytest.raises(UserError, match="cannot be read as numbers"):
            read_channels(tmp_path, CONFIG)
        np.save(tmp_path / "test" / "P-1.npy", np.arange(5.0))
        with pytest.raises(UserError, match=r"numbers \[time, channels\] are expected"):
            read_channels(tmp_path, CONFIG)
        (tmp_path / "test" / "P-1.npy").write_bytes(b"\x93NUMPY broken")
        with pytest.raises(UserError, match="cannot be read as numbers"):
            read_channels(tmp_path, CONFIG)
        self.arrays(tmp_path)
        for content in (
            {"P-1/test/value": np.array([{"a": 1}])},
            {"P-1/test/value": np.array(3.0)},
            {"P-1/test/value": np.arange(4.0), "P-1/test/command": np.ones([3, 2])},
        ):
            np.savez(tmp_path / "a.npz", **content)
            with pytest.raises(UserError, match=r"a\.npz"):
                read_channels(tmp_path, CONFIG)
        (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 broken")
        with pytest.raises(UserError, match="cannot be read as numbers"):
            read_channels(tmp_path, CONFIG)


def test_runs():
    flags = np.array([1, 0, 0, 1, 1, 0, 0, 0, 1], bool)
    assert runs(flags).tolist() == [[0, 0], [3, 4], [8, 8]]
    assert runs(np.zeros(4, bool)).shape == (0, 2)


@pytest.mark.parametrize(
    ("begin", "end", "anomalies"),
    [
        (0, 10, ((2, 3), (6, 9))),
        (3, 8, ((0, 0), (3, 4))),
        (4, 6, ()),
        (9, 10, ((0, 0),)),
        (0, 0, ()),
    ],
)
def test_a_part_holds_the_parts_of_anomalies_that_lie_in_it(begin, end, anomalies):
    whole = Channels("a", ("x",), np.arange(10), np.arange(10.0)[:, None], ((2, 3), (6, 9)))
    part = whole.part(begin, end)
    assert part.times.tolist() == list(range(begin, end))
    assert part.values.ravel().tolist() == list(range(begin, end))
    assert part.anomalies == anomalies
    unlabelled = Channels("a", ("x",), whole.times, whole.values, None)
    assert unlabelled.part(begin, end).anomalies is None


def test_channels_without_names_are_numbered():
    assert channel_names(3) == ("channel 0", "channel 1", "channel 2")
    assert channel_names(0) == ()
