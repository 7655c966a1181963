"""Without the extra, one line says what is missing, before any work."""

import sys

from click.testing import CliRunner

from rnnsuite.beam.__main__ import main


def test_without_beam(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "rnnsuite.beam.pipeline", raising=False)
    done = CliRunner().invoke(main, ["x", "--model", "m", "--input", "i", "--output", "o"])
    assert done.exit_code == 2
    assert "apache_beam" in done.stderr
    assert "pip install 'rnnsuite[beam]'" in done.stderr
