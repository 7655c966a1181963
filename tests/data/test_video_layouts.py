"""Videos with captions, by features of their frames."""

import json

import h5py
import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.video_layouts import read_videos

FEATURES = np.abs(np.random.default_rng(0).normal(size=[3, 5, 4])).astype(np.float32)


def read(root, on_error="error"):
    return read_videos(root, TableConfig(), Skips(on_error))


def msvd(folder, features=FEATURES, names=("a.avi", "b.avi", "c.avi"), captions=None, **arrays):
    np.savez(folder / "msvd_train.npz", features=features, video=np.array(names), **arrays)
    entries = captions or {
        "a.avi": {"captions": ["A man sings.", "singing"], "split": "train"},
        "b.avi": {"captions": ["A cat"], "split": "val"},
        "c.avi": {"captions": ["A dog runs"], "split": "train"},
    }
    (folder / "captions_train.json").write_text(json.dumps(entries))
    return folder


def named(by_split):
    return {
        split: {video.id: video.captions for video in videos} for split, videos in by_split.items()
    }


def test_features_and_captions_by_video(tmp_path):
    by_split = read(msvd(tmp_path))
    assert named(by_split) == {
        "train": {"a.avi": ("A man sings.", "singing"), "c.avi": ("A dog runs",)},
        "validation": {"b.avi": ("A cat",)},
    }
    np.testing.assert_array_equal(by_split["train"][1].features, FEATURES[2])


def test_features_in_8_bits(tmp_path):
    largest = FEATURES.max(axis=(0, 1))
    coded = np.round(255 * np.sqrt(FEATURES / largest)).astype(np.uint8)
    by_split = read(msvd(tmp_path, coded, dim_max=largest))
    found = by_split["train"][0].features
    np.testing.assert_allclose(found, FEATURES[0], atol=0.01 * largest.max())


def test_another_split_is_told_by_the_files_name(tmp_path):
    msvd(tmp_path)
    np.savez(tmp_path / "more.npz", features=FEATURES[:1].astype(np.float16), video=["d.avi"])
    (tmp_path / "captions_test.json").write_text(json.dumps({"d.avi": ["A bird"]}))
    assert named(read(tmp_path))["test"] == {"d.avi": ("A bird",)}


def test_msr_vtt(tmp_path):
    content = {
        "videos": [{"video_id": "video0", "split": "train"}, {"video_id": "video1"}],
        "sentences": [
            {"video_id": "video0", "caption": "a car"},
            {"video_id": "video1", "caption": "a ship"},
            {"video_id": "video0", "caption": "a red car"},
        ],
    }
    (tmp_path / "train_val_videodatainfo.json").write_text(json.dumps(content))
    with h5py.File(tmp_path / "features.h5", "w") as stream:
        stream["video0"] = FEATURES[0]
        stream["video1"] = FEATURES[1]
    assert named(read(tmp_path)) == {
        "train": {"video0": ("a car", "a red car")},
        "all": {"video1": ("a ship",)},
    }


def test_a_table_of_several_languages(tmp_path):
    rows = [
        "VideoID,Start,End,Language,Description",
        "x,1,5,English,a man",
        "x,1,5,German,ein Mann",
    ]
    (tmp_path / "corpus.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "features").mkdir()
    np.save(tmp_path / "features" / "x_1_5.npy", FEATURES[0])
    assert named(read(tmp_path)) == {"all": {"x_1_5": ("a man",)}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"names": ("a.avi", "b.avi", "a.avi")}, "two videos 'a.avi'"),
        ({"names": ("a.avi", "b.avi")}, r"features \[3, 5, 4\] and 2 videos do not fit"),
        ({"names": ("x", "y", "z")}, "features of none of the 3 captioned videos, such as a.avi"),
        ({"captions": {"a.avi": 3}}, "captions of a.avi must be a list of texts"),
        ({"captions": {"a.avi": [], "b.avi": ["x"]}}, "video 'a.avi' has no captions"),
        ({"captions": {"a.avi": ["x"], "q": ["y"]}}, "video 'q', of which there are no features"),
        ({"features": np.full([3, 5, 4], np.nan)}, "not all finite"),
    ],
)
def test_what_cannot_be(tmp_path, changes, said):
    msvd(tmp_path, **changes)
    with pytest.raises(UserError, match=said):
        read(tmp_path)


def test_what_is_wrong_can_be_left_out(tmp_path):
    msvd(tmp_path, captions={"a.avi": ["x"], "q": ["y"], "b.avi": [" "]})
    assert named(read(tmp_path, "skip")) == {"train": {"a.avi": ("x",)}}


def test_another_width_and_two_files_of_one_video(tmp_path):
    msvd(tmp_path)
    np.save(tmp_path / "z.npy", np.ones([2, 3]))
    with pytest.raises(UserError, match="a frame of z has 3 features, and of others 4"):
        read(tmp_path)
    (tmp_path / "z.npy").unlink()
    np.save(tmp_path / "x.npy", np.ones([2, 4]))
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "sub" / "x.npy", np.ones([2, 4]))
    with pytest.raises(UserError, match="other features of video 'x'"):
        read(tmp_path)


def test_there_is_nothing(tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        read(tmp_path / "absent")
    with pytest.raises(UserError, match=r"neither captions_\*\.json"):
        read(tmp_path)
    (tmp_path / "captions.json").write_text("[]")
    with pytest.raises(UserError, match="no captions by video"):
        read(tmp_path)


class TestFilms:
    """Videos beside their captions, in place of features."""

    def folder(self, place):
        (place / "films").mkdir()
        for name in ("a.avi", "b.mp4"):
            (place / "films" / name).write_bytes(b"film")
        (place / "captions.json").write_text(json.dumps({"a.avi": ["a man"], "b": ["a cat"]}))
        return place

    def read(self, place, read_video):
        return read_videos(place, TableConfig(), Skips("error"), read_video)

    def test_they_are_named_with_their_ending_or_without(self, tmp_path):
        paths = []

        def read_video(path):
            paths.append(path.name)
            return np.full([2, 3], len(paths), np.float32)

        by_split = self.read(self.folder(tmp_path), read_video)
        assert named(by_split) == {"all": {"a.avi": ("a man",), "b": ("a cat",)}}
        assert paths == ["a.avi", "b.mp4"]
        assert by_split["all"][1].features[0, 0] == 2

    def test_only_those_with_captions_are_read(self, tmp_path):
        place = self.folder(tmp_path)
        (place / "films" / "c.avi").write_bytes(b"film")
        paths = []

        def read_video(path):
            paths.append(path.name)
            return np.ones([1, 2], np.float32)

        self.read(place, read_video)
        assert "c.avi" not in paths

    def test_two_files_of_one_video(self, tmp_path):
        place = self.folder(tmp_path)
        (place / "b.mov").write_bytes(b"film")
        with pytest.raises(UserError, match="another file of video 'b'"):
            self.read(place, lambda path: np.ones([1, 2], np.float32))

    def test_where_videos_are_not_read(self, tmp_path):
        with pytest.raises(UserError, match="videos are not read here"):
            self.read(self.folder(tmp_path), None)
