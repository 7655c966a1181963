"""Frames as a source of records."""

import pyarrow

from rnnsuite.data.frames import save_frame
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.tables import table

FRAME = pyarrow.table({"text": ["a", "ö"], "label": ["x", "y"]})


def test_a_frame_is_a_source(tmp_path):
    import pathlib

    path = pathlib.Path(save_frame(FRAME, tmp_path))
    found = list(table(path, TableConfig(), {"data.text": "text"}, Skips("error")))
    assert found == [(1, {"text": "a", "label": "x"}), (2, {"text": "ö", "label": "y"})]


def test_an_equal_frame_is_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNSUITE_CACHE", str(tmp_path))
    first = save_frame(FRAME)
    assert first.startswith(str(tmp_path / "frames"))
    assert save_frame(FRAME) == first
    assert save_frame(FRAME.slice(1)) != first
