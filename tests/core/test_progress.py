"""Bars go to standard error, and rarely where nobody looks."""

import sys

from rnnsuite.core.progress import bar


def test_a_short_work_in_a_log_shows_nothing(capsys):
    assert list(bar(range(3), desc="files")) == [0, 1, 2]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_a_terminal_sees_it_at_once(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    list(bar(range(3), desc="files", mininterval=0))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "files" in captured.err
