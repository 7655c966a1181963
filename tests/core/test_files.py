import errno
import json
import os
import subprocess
import sys
import tempfile

import pytest

from rnnsuite.core import files
from rnnsuite.core.errors import UserError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"x": 1})

    def fail():
        with files.atomic_file(path) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert json.loads(path.read_text()) == {"x": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_failed_folder_leaves_nothing(tmp_path):
    def fail():
        with files.atomic_folder(tmp_path / "deep" / "1") as part:
            (part / "x").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert os.listdir(tmp_path / "deep") == []


def test_what_a_kill_left_behind_is_removed_by_the_next(tmp_path):
    (tmp_path / ".part-1-abc").mkdir()
    with files.atomic_folder(tmp_path / "1"):
        pass
    assert os.listdir(tmp_path) == ["1"]


def test_a_folder_appears_whole(tmp_path):
    with files.atomic_folder(tmp_path / "1") as part:
        (part / "x").write_text("x")
        assert not (tmp_path / "1").exists()
    assert (tmp_path / "1" / "x").read_text() == "x"
    assert os.listdir(tmp_path) == ["1"]


def test_a_target_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(UserError, match=r"Cannot write .*file"),
        files.atomic_folder(tmp_path / "file" / "1"),
    ):
        pass


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match=r"a\.json is damaged"):
        files.read_json(tmp_path / "a.json")


def test_a_full_disk_is_an_explained_error_and_leaves_nothing(tmp_path):
    """A limit on file size stands for the full disk: the write fails in the operating system."""
    program = (
        "import resource, pathlib; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import numpy as np\nfrom rnnsuite.core.errors import UserError\n"
        "from rnnsuite.pipeline.train import checkpoint\n"
        f"folder = pathlib.Path({str(tmp_path / 'c')!r})\n"
        "try:\n    checkpoint.save(folder, 1, [np.zeros(100000)], {})\n"
        "except UserError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Cannot write" in done.stdout, done.stderr
    assert os.listdir(tmp_path / "c") == []


class TestFull:
    """The disk is full, as the operating system or TensorFlow says."""

    FULL = os.strerror(errno.ENOSPC)

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, FULL),
            RuntimeError(f"ResourceExhausted: events.out.tfevents; {FULL}"),
        ],
    )
    def test_it_is_told_with_the_place(self, tmp_path, error):
        with (
            pytest.raises(UserError, match=f"Cannot write .*: {self.FULL}"),
            files.as_user_error(tmp_path),
        ):
            raise error

    def test_any_other_error_stays_what_it_is(self, tmp_path):
        for guard in (files.as_user_error(tmp_path), files.temporary_folder()):
            with pytest.raises(ZeroDivisionError), guard:
                raise ZeroDivisionError("ours")
        with pytest.raises(FileNotFoundError), files.temporary_folder():
            raise FileNotFoundError("of the block's own")

    def test_temporary_files(self, monkeypatch):
        monkeypatch.setenv("TMPDIR", "/small")
        with (
            pytest.raises(UserError, match=rf"temporary files in /small: {self.FULL}\. Set TMPDIR"),
            files.temporary_folder(),
        ):
            raise OSError(errno.ENOSPC, self.FULL)

    def test_no_folder_for_them_at_all(self, monkeypatch, tmp_path):
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "no")])
        with (
            pytest.raises(UserError, match="there is no folder to write in"),
            files.temporary_folder(),
        ):
            pass

    def test_what_a_mistake_within_says_is_kept(self, tmp_path):
        for guard in (files.as_user_error(tmp_path), files.temporary_folder()):
            with pytest.raises(UserError, match=r"^data: No space left on device$"), guard:
                raise UserError("data: No space left on device")
