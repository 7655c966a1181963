"""Whether a source is the one that a run was trained on."""

import os

import pytest

from rnnsuite.data import fingerprint as module
from rnnsuite.data.fingerprint import changed, fingerprint


@pytest.fixture
def source(tmp_path):
    for name in ("a.csv", "b.csv", "sub/c.csv", ".hidden/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_generated_data_have_no_files():
    assert fingerprint("sample") == fingerprint("tfds:imdb_reviews") == {}


def test_a_file_a_folder_and_the_beginning_of_names(source):
    assert list(fingerprint(str(source / "a.csv"))) == ["a.csv"]
    assert list(fingerprint(str(source))) == ["a.csv", "b.csv", "sub/c.csv"]
    assert list(fingerprint(str(source / "a"))) == ["a.csv"]


def test_contents_count_and_times_do_not(source):
    before = fingerprint(str(source))
    os.utime(source / "a.csv", (1, 1))
    assert changed(before, fingerprint(str(source))) == []
    (source / "a.csv").write_text("x.csv")
    (source / "b.csv").unlink()
    (source / "new.csv").touch()
    assert changed(before, fingerprint(str(source))) == ["a.csv", "b.csv", "new.csv"]


def test_of_large_files_size_and_time_count(source, monkeypatch):
    monkeypatch.setattr(module, "CONTENT_BYTES", 3)
    before = fingerprint(str(source))
    os.utime(source / "a.csv", (1, 1))
    assert changed(before, fingerprint(str(source))) == ["a.csv"]


def test_very_many_files_are_one(source, monkeypatch):
    monkeypatch.setattr(module, "LISTED", 2)
    before = fingerprint(str(source))
    assert len(before) == 1
    (source / "a.csv").write_text("x")
    assert len(changed(before, fingerprint(str(source)))) == 1
