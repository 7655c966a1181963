"""What is kept between runs on a machine."""

import os
import time

import pytest

from rnnsuite.core import cache


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv(cache.FLAGS, raising=False)


def test_the_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.delenv("RNNSUITE_CACHE")
    assert cache.cache_folder().parts[-2:] == (".cache", "rnnsuite")


def test_compiled_code_is_kept_by_release_and_processor(tmp_path, monkeypatch):
    cache.keep_compiled(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("xla-2.")
    assert os.environ[cache.FLAGS] == f"--tf_xla_persistent_cache_directory={folder}"
    monkeypatch.delenv(cache.FLAGS)
    monkeypatch.setattr(cache, "_processor", lambda: "other")
    cache.keep_compiled(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_flags_of_ones_own_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.FLAGS, "--tf_xla_auto_jit=2")
    cache.keep_compiled(tmp_path)
    assert os.environ[cache.FLAGS] == "--tf_xla_auto_jit=2"
    assert not list(tmp_path.iterdir())


def test_what_is_long_unused_is_removed(tmp_path):
    cache.keep_compiled(tmp_path)
    (folder,) = tmp_path.iterdir()
    for name, days in (("old", cache.KEPT_DAYS + 1), ("new", 1)):
        (folder / name).touch()
        used = time.time() - days * 86400
        os.utime(folder / name, (used, used))
    del os.environ[cache.FLAGS]
    cache.keep_compiled(tmp_path)
    assert [file.name for file in folder.iterdir()] == ["new"]


def test_a_home_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    cache.keep_compiled(tmp_path / "file")
    assert cache.FLAGS not in os.environ
