"""Exports that must fail, and what is left of them."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest

from rnnsuite.core.errors import ExportFailed, UserError
from rnnsuite.pipeline.export import child, parity
from rnnsuite.pipeline.export import release as release_module
from rnnsuite.pipeline.export.release import release
from tests.thorough import thorough

ENDED = child.ended
"""That starts a process anew; other tests fork theirs."""


def everything(folder: pathlib.Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["float32", *thorough("portable_float32")])
def test_a_form_over_its_bound_fails_and_nothing_is_published(
    kind, sentiment, tmp_path, monkeypatch
):
    ask = parity.ask_lite

    def ask_another(*arguments):
        answers = ask(*arguments)
        return {**answers, "probabilities": [row + 2e-4 for row in answers["probabilities"]]}

    monkeypatch.setattr(parity, "ask_lite", ask_another)
    with pytest.raises(
        ExportFailed, match=rf"{kind}\.tflite: answers differ by up to 0\.0002 \(bound 0\.0001\)"
    ):
        release(sentiment.app, sentiment.run, tmp_path / "out", kinds=[kind])
    assert everything(tmp_path / "out") == []


def test_versions_count_up_and_are_not_overwritten(sentiment, tmp_path):
    (tmp_path / "sentiment" / "4").mkdir(parents=True)
    result = release(sentiment.app, sentiment.run, tmp_path, kinds=["none"])
    assert result["saved_model"] == str(tmp_path / "sentiment" / "5")
    assert not (tmp_path / "sentiment" / "lite").exists()
    with pytest.raises(UserError, match=r"exists\. Choose another --version"):
        release(sentiment.app, sentiment.run, tmp_path, version=5)


def test_unknown_kind(sentiment, tmp_path):
    with pytest.raises(UserError, match="--lite int3: unknown kind"):
        release(sentiment.app, sentiment.run, tmp_path, kinds=["int3"])


def test_a_model_without_a_part_for_devices(sentiment, tmp_path, monkeypatch):
    opened = release_module.saved_model.open_run

    def for_servers(run):
        exported = opened(run)
        signatures = {
            name: dataclasses.replace(signature, lite=False)
            for name, signature in exported.signatures.items()
        }
        return dataclasses.replace(exported, signatures=signatures)

    monkeypatch.setattr(release_module.saved_model, "open_run", for_servers)
    with pytest.raises(UserError, match="No part of this model runs on devices"):
        release(sentiment.app, sentiment.run, tmp_path, kinds=["float32"])
    assert everything(tmp_path) == []


def test_a_target_that_cannot_be_written(sentiment, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="Cannot write"):
        release(sentiment.app, sentiment.run, tmp_path / "file")


def test_a_full_disk_leaves_nothing_half_written(sentiment, tmp_path):
    """A limit on file size stands for the full disk: the write fails in the operating system."""
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from rnnsuite.cli.main import main; main(sys.argv[1:])\n"
    )
    command = ["export", "sentiment", "--run", str(sentiment.run), "--to", str(tmp_path / "out")]
    # A measurement of coverage could not write its own file either.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(tmp_path) == []


def test_a_child_without_room_is_told_in_a_line(monkeypatch, tmp_path):
    said = "Traceback ...\nOSError: [Errno 28] No space left on device: '/small/calibration.npz'"
    monkeypatch.setenv("TMPDIR", "/small")
    monkeypatch.setattr(child, "ended", lambda words: (1, said))
    with pytest.raises(UserError, match="Cannot write temporary files in /small, or what is exp"):
        child.run_module("any")


def test_a_child_that_dies_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "ended", ENDED)
    script = tmp_path / "dies.py"
    script.write_text(
        "import os, signal, sys; print('last words', file=sys.stderr); os.kill(os.getpid(), "
        "signal.SIGSEGV)"
    )
    with pytest.raises(ExportFailed, match=r"dies\.py was killed by signal 11\.\nlast words"):
        child.run_file(script)
