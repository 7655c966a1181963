import numpy as np
import pytest

from rnnsuite.pipeline.train import checkpoint


def save(folder, *steps):
    for step in steps:
        checkpoint.save(
            folder, step, [np.full([50, 40], step, np.float32), np.array(step)], {"step": step}
        )


def test_round_trip_and_only_two_are_kept(tmp_path):
    save(tmp_path, 5, 90, 1000)
    assert len(list(tmp_path.iterdir())) == 2
    arrays, progress = checkpoint.load(tmp_path)
    assert progress == {"step": 1000}
    np.testing.assert_array_equal(arrays[0], np.full([50, 40], 1000))
    assert arrays[1] == 1000


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damage_falls_back_to_the_one_before(tmp_path, damage, caplog):
    save(tmp_path, 1, 2)
    newest = tmp_path / "000000002.npz"
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 0xFF
    newest.write_bytes({"cut": content[:-200], "flip": content, "empty": b""}[damage])
    _, progress = checkpoint.load(tmp_path)
    assert progress == {"step": 1}
    assert "000000002.npz is damaged" in caplog.text


def test_nothing_to_load(tmp_path):
    assert checkpoint.load(tmp_path / "none") is None


def test_pickles_are_refused(tmp_path):
    tmp_path.joinpath("x").mkdir()
    np.savez(tmp_path / "x" / "000000001.npz", a0000=np.array([object()]), progress=np.array([1]))
    assert checkpoint.load(tmp_path / "x") is None


def test_what_a_kill_left_behind_is_ignored_and_removed(tmp_path):
    save(tmp_path, 1)
    (tmp_path / ".part-77-000000009.npz").write_bytes(b"half")
    assert checkpoint.load(tmp_path)[1] == {"step": 1}
    save(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000001.npz", "000000002.npz"]


def test_a_later_checkpoint_is_the_newest_whatever_its_step(tmp_path):
    """An epoch of drawn windows may have more steps than the next one begins behind."""
    checkpoint.save(tmp_path, 1004, [np.zeros(1)], {"epoch": 1})
    checkpoint.save(tmp_path, 1002, [np.ones(1)], {"epoch": 2})
    (array,), progress = checkpoint.load(tmp_path)
    assert progress == {"epoch": 2}
    assert array == 1
