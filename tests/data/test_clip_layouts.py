"""Clips as they are published, and as one has them."""

import h5py
import numpy as np
import pytest

from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.data import people
from rnnsuite.data.clip_layouts import read_clips
from rnnsuite.data.clips import Clip, ClipsConfig

RNG = np.random.default_rng(0)


def packed(path, **changes):
    """Five skeletons, one behind the other in one array."""
    content = {
        "joints": RNG.normal(size=[15, 4, 4]).astype(np.float32),
        "length": np.array([1, 2, 3, 4, 5]),
        "action": np.array([1, 2, 1, 2, 3]),
        "subject": np.array([1, 1, 2, 2, 3]),
        "good": np.array([True, True, True, True, False]),
    }
    np.savez(path, **{**content, **changes})
    return path


MSR = {"label": "action", "person": "subject", "coordinates": 3}


def config(path, **settings):
    return ClipsConfig(source=str(path), **settings)


def read(path, **settings):
    return read_clips(path, config(path, **settings))


class TestPacked:
    def test_frames_end_to_end_are_cut_by_their_lengths(self, tmp_path):
        path = packed(tmp_path / "a.npz")
        clips = read(path, **MSR)["all"]
        assert [len(clip.values) for clip in clips] == [1, 2, 3, 4, 5]
        assert {clip.values.shape[1:] for clip in clips} == {(4, 3)}
        joints = np.load(path)["joints"]
        np.testing.assert_array_equal(clips[1].values, joints[1:3, :, :3])
        assert [(clip.label, clip.person) for clip in clips[:2]] == [("1", "1"), ("2", "1")]

    def test_padded_rows_are_cut_too(self, tmp_path):
        features = RNG.normal(size=[3, 6, 2])
        np.savez(
            tmp_path / "a.npz",
            features=features,
            length=[6, 2, 3],
            label=[1, 2, 2],
            class_names=["sit", "stand"],
        )
        clips = read(tmp_path / "a.npz")["all"]
        assert [clip.label for clip in clips] == ["sit", "stand", "stand"]
        np.testing.assert_allclose(clips[1].values, features[1, :2], atol=1e-6)

    @pytest.mark.parametrize("first", [0, 1])
    def test_class_numbers_begin_with_0_or_1(self, tmp_path, first):
        np.savez(
            tmp_path / "a.npz",
            features=np.ones([2, 3, 2]),
            label=np.array([0, 1]) + first,
            class_names=["a", "b"],
        )
        assert [clip.label for clip in read(tmp_path / "a.npz")["all"]] == ["a", "b"]

    def test_some_are_chosen_and_named(self, tmp_path):
        path = packed(tmp_path / "a.npz")
        names = {"1": "wave", "2": "sit"}
        clips = read(path, **MSR, select="good", names=names, classes=("wave",))["all"]
        assert [(clip.label, len(clip.values)) for clip in clips] == [("wave", 1), ("wave", 3)]

    def test_splits_are_files(self, tmp_path):
        packed(tmp_path / "train.npz")
        packed(tmp_path / "val.npz", subject=np.array([7, 7, 7, 8, 8]))
        by_split = read(tmp_path, **MSR)
        assert {name: len(clips) for name, clips in by_split.items()} == {
            "train": 5,
            "validation": 5,
        }

    def test_people_are_named(self, tmp_path):
        path = packed(tmp_path / "a.npz")
        chosen = {"validation": ("2",), "test": ("3",)}
        by_split = read(path, **MSR, people=chosen)
        assert {name: len(clips) for name, clips in by_split.items()} == {
            "train": 2,
            "validation": 2,
            "test": 1,
        }
        again = read(path, **MSR, people=chosen, refit=True)
        assert len(again["train"]) == 4
        with pytest.raises(UserError, match=r"data\.people names '9'"):
            read(path, **MSR, people={"test": ("9",)})

    def test_a_joint_of_zeros_is_missing(self, tmp_path):
        joints = np.ones([1, 2, 3, 3])
        joints[0, 1, 2] = 0
        np.savez(tmp_path / "a.npz", joints=joints, label=["x"])
        (clip,) = read(tmp_path / "a.npz")["all"]
        assert np.isnan(clip.values).sum() == 3
        assert np.isnan(clip.values[1, 2]).all()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"length": np.array([1, 2, 3, 4, 6])}, "holds 15 frames, and length says another"),
            ({"length": np.ones(5)}, "length is float64"),
            ({"joints": np.ones([15, 4])}, r"joints is float64 \[15, 4\]"),
            ({"subject": np.array([1, 2])}, r"subject is \[2\], and there are 5 clips"),
            ({"joints": np.full([15, 4, 4], np.inf)}, "clip a 0 holds infinite numbers"),
            ({"joints": np.zeros([15, 4, 4])}, "clip a 0 has nothing but missing numbers"),
            ({"action": np.array([object()] * 5)}, "cannot be read as numbers"),
        ],
    )
    def test_what_cannot_be(self, tmp_path, changes, said):
        path = packed(tmp_path / "a.npz", **changes)
        with pytest.raises(UserError, match=said):
            read(path, **MSR)

    def test_names_that_there_are_not(self, tmp_path):
        path = packed(tmp_path / "a.npz")
        with pytest.raises(UserError, match=r"no array 'label'.*it has joints, length, action"):
            read(path)
        with pytest.raises(UserError, match="no array 'fine'"):
            read(path, **MSR, select="fine")
        with pytest.raises(UserError, match="holds no clips of jump"):
            read(path, **MSR, classes=("jump",))
        np.savez(tmp_path / "b.npz", x=[1])
        with pytest.raises(UserError, match="neither joints nor features"):
            read(tmp_path / "b.npz")
        with pytest.raises(UserError, match="There is no"):
            read(tmp_path / "c.npz")

    def test_a_file_that_breaks_off(self, tmp_path):
        path = packed(tmp_path / "a.npz")
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(UserError, match="cannot be read as numbers"):
            read(path)

    def test_one_name_twice(self, tmp_path):
        path = packed(tmp_path / "a.npz", record=np.array(["a", "b", "a", "c", "d"]))
        with pytest.raises(UserError, match="two clips 'a' in all"):
            read(path, **MSR)


def test_folders_of_classes(tmp_path):
    for split, label in (("train", "sit"), ("train", "wave"), ("test", "sit")):
        folder = tmp_path / split / label
        folder.mkdir(parents=True)
        np.save(folder / "v_x_g03_c01.npy", np.ones([4, 2]))
        with h5py.File(folder / "b.h5", "w") as stream:
            stream["joints"] = np.ones([3, 2])
    clips = read(tmp_path)["train"]
    assert [(clip.id, clip.person) for clip in clips] == [
        ("sit/b", "b"),
        ("sit/v_x_g03_c01", "sit 03"),
        ("wave/b", "b"),
        ("wave/v_x_g03_c01", "wave 03"),
    ]
    np.savez(tmp_path / "train" / "sit" / "two.npz", a=[[1.0]], b=[[1.0]])
    with pytest.raises(UserError, match="holds 2 arrays, and one clip is one"):
        read(tmp_path)


def test_lists_of_ucf101(tmp_path):
    (tmp_path / "trainlist01.txt").write_text("Sit/v_Sit_g08_c01.avi 1\nSit/v_Sit_g09_c01.avi 1\n")
    (tmp_path / "testlist01.txt").write_text("Sit/v_Sit_g01_c01.avi\n")
    (tmp_path / "Sit").mkdir()
    for group in ("01", "08", "09"):
        np.save(tmp_path / "Sit" / f"v_Sit_g{group}_c01.npy", np.ones([2, 3]))
    by_split = read(tmp_path)
    assert [clip.person for clip in by_split["train"]] == ["Sit 08", "Sit 09"]
    assert [clip.label for clip in by_split["test"]] == ["Sit"]
    (tmp_path / "testlist01.txt").write_text("Sit/v_Sit_g02_c01.avi\n")
    with pytest.raises(UserError, match="no video Sit/v_Sit_g02_c01, nor features"):
        read(tmp_path)


def test_windows_of_intervals(tmp_path):
    """As many as are published with HAPT: floor((n - 128) / 64) + 1, from the first sample on."""
    (tmp_path / "activity_labels.txt").write_text("1 WALKING\n2 SITTING\n")
    values = RNG.integers(-900, 900, size=[1000, 6]).astype(np.int16)
    labels = [[1, 1, 1, 11, 310], [1, 1, 2, 400, 526], [1, 1, 2, 600, 727]]
    np.savez(tmp_path / "hapt.npz", **{"01_01": values, "labels": np.array(labels)})
    clips = read(tmp_path)["all"]
    assert [(clip.id, clip.label) for clip in clips] == [
        ("01_01 10", "WALKING"),
        ("01_01 74", "WALKING"),
        ("01_01 138", "WALKING"),
        ("01_01 599", "SITTING"),
    ]
    np.testing.assert_array_equal(clips[1].values, values[74:202])


def inertial(tmp_path):
    """UCI-HAR's folder, with three windows of two people in train."""
    (tmp_path / "activity_labels.txt").write_text("1 WALKING\n2 SITTING\n")
    for split, owners in (("train", "1\n1\n3\n"), ("test", "2\n")):
        count = len(owners.split())
        signals = tmp_path / split / "Inertial Signals"
        signals.mkdir(parents=True)
        for number, name in enumerate(("acc_x", "acc_y")):
            rows = [" ".join(["0.5", str(number)] * 3)] * count
            (signals / f"{name}_{split}.txt").write_text("\n".join(rows) + "\n")
        (tmp_path / split / f"y_{split}.txt").write_text("2\n" * count)
        (tmp_path / split / f"subject_{split}.txt").write_text(owners)
    return tmp_path


class TestInertial:
    @pytest.fixture
    def folder(self, tmp_path):
        return inertial(tmp_path)

    def test_channels_stand_side_by_side(self, folder):
        by_split = read(folder)
        assert [clip.person for clip in by_split["train"]] == ["1", "1", "3"]
        (clip,) = by_split["test"]
        assert clip.label == "SITTING"
        np.testing.assert_array_equal(clip.values[:2], [[0.5, 0.5], [0, 1]])

    def test_lines_that_do_not_fit(self, folder):
        (folder / "test" / "y_test.txt").write_text("1\n2\n")
        with pytest.raises(UserError, match="1 windows, 2 labels, 1 subjects"):
            read(folder)
        (folder / "test" / "Inertial Signals" / "acc_x_test.txt").write_text("0.5 what\n")
        with pytest.raises(UserError, match="Inertial Signals"):
            read(folder)


class TestPeople:
    def items(self, *persons):
        return [Clip(str(n), person, "x", np.ones([1, 1])) for n, person in enumerate(persons)]

    def test_nobody_is_in_two_splits(self):
        items = {"all": self.items(*(f"p{n % 7}" for n in range(40)))}
        parts = {
            split: people.people_of(people.of_split("here", items, split, 0.3, 0.3))
            for split in ("train", "validation", "test")
        }
        assert all(parts.values())
        assert sum(len(part) for part in parts.values()) == 7

    def test_one_person_cannot_be_divided(self):
        with pytest.raises(UserError, match="1 people leave the validation split empty"):
            people.of_split("here", {"all": self.items("a", "a")}, "validation", 0.2, 0.2)

    def test_a_split_that_there_is_not(self):
        items = {"train": self.items("a", "b")}
        with pytest.raises(NoSplit, match="here has no test split"):
            people.of_split("here", items, "test", 0.2, 0.2)

    def test_somebody_in_two_splits_is_warned_of(self, caplog):
        items = {"train": self.items("a", "b"), "validation": self.items("b")}
        people.of_split("here", items, "train", 0.2, 0.2)
        assert "1 people of train are in validation too (b)" in caplog.text
