"""Any clips survive being packed and read again."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.arrays import loaded
from rnnsuite.data.clip_arrays import clip_of_file, clips_of_file, read_frames
from rnnsuite.data.clip_field import ClipField, read_clip
from rnnsuite.data.clips import ClipsConfig


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    is_joints=st.booleans(),
    is_end_to_end=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_however_they_are_packed(tmp_path_factory, lengths, is_joints, is_end_to_end, seed):
    rng = np.random.default_rng(seed)
    shape = (3, 2) if is_joints else (4,)
    clips = [rng.normal(size=[length, *shape]).astype("float32") for length in lengths]
    if is_end_to_end:
        values = np.concatenate(clips)
    else:
        values = np.zeros([len(clips), max(lengths) + 1, *shape], "float32")
        for row, clip in zip(values, clips, strict=True):
            row[: len(clip)] = clip
    path = tmp_path_factory.mktemp("packed") / "a.npz"
    name = "joints" if is_joints else "features"
    np.savez(path, **{name: values}, length=np.array(lengths), label=["x"] * len(clips))
    found = clips_of_file(path, ClipsConfig())
    assert len(found) == len(clips)
    for clip, expected in zip(found, clips, strict=True):
        np.testing.assert_array_equal(clip.values, expected)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".h5"])
def test_a_file_of_one_clip(tmp_path, suffix):
    values = np.random.default_rng(0).normal(size=[4, 3, 2]).astype("float32")
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, values)
    elif suffix == ".npz":
        np.savez(path, values)
    else:
        with h5py.File(path, "w") as stream:
            stream["joints"] = values
            stream.create_group("notes")["author"] = "somebody"
    np.testing.assert_array_equal(read_frames(path), values)
    assert read_frames(path, 1).shape == (4, 3, 1)
    np.testing.assert_array_equal(read_clip(path), values.reshape(4, 6))
    np.testing.assert_array_equal(ClipField((None, None)).parse(str(path)), values.reshape(4, 6))
    assert clip_of_file(path, "sit", ClipsConfig()).id == "sit/a"


def test_hdf5_files_that_are_none(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"no hierarchy")
    with pytest.raises(UserError, match=r"a\.h5 cannot be read as numbers"):
        loaded(tmp_path / "a.h5")


def test_a_table_of_frames_and_numbers_as_they_are(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,\n")
    found = read_clip(tmp_path / "a.csv")
    np.testing.assert_array_equal(found, [[1, 2], [3, np.nan]])
    field = ClipField((None, None), missing=True)
    np.testing.assert_array_equal(field.parse("[[1, null], [3, 4]]"), [[1, np.nan], [3, 4]])


def test_a_video_where_none_is_read(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    with pytest.raises(UserError, match="videos are not read here"):
        clip_of_file(tmp_path / "a.mp4", "sit", ClipsConfig())
