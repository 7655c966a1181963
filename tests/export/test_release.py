"""Exports that must fail, and what is left of them."""

import pathlib
import shutil
import subprocess
import sys

import pytest

from rnnsuite import config as configuration
from rnnsuite.errors import UserError
from rnnsuite.export import child, parity
from rnnsuite.export.release import release
from rnnsuite.files import write_text


def everything(folder: pathlib.Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


def test_a_form_over_its_bound_fails_and_nothing_is_published(sentiment, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(sentiment.run, run)
    config = configuration.replace(
        sentiment.app, configuration.load(sentiment.app, run / "config.yaml"), {"export.lite_bound": 1e-12}
    )
    write_text(run / "config.yaml", configuration.dump(config))
    with pytest.raises(child.ExportFailed, match=r"float32\.tflite: answers differ by up to .*bound 1e-12"):
        release(sentiment.app, run, tmp_path / "out")
    assert everything(tmp_path / "out") == []


@pytest.mark.parametrize("form", ["saved_model", "float32.tflite"])
def test_unequal_text_is_over_any_bound(sentiment, form):
    forms = {"keras": {"accuracy": 1.0}, form: {"largest_difference": 0.0, "unequal": 1, "accuracy": 1.0}}
    with pytest.raises(child.ExportFailed, match=f"{form}.*1 are unequal"):
        parity._judge(sentiment.app, forms, configuration.Export())


def test_nan_is_over_any_bound(sentiment):
    form = {"largest_difference": float("nan"), "unequal": 0, "accuracy": 1.0}
    with pytest.raises(child.ExportFailed, match="differ by up to nan"):
        parity._judge(sentiment.app, {"keras": {"accuracy": 1.0}, "saved_model": form}, configuration.Export())


def test_a_drop_of_the_score_fails(sentiment):
    form = {"largest_difference": 0.2, "unequal": 3, "accuracy": 0.9}
    with pytest.raises(child.ExportFailed, match=r"accuracy 0\.9000, the Keras model has 1\.0000"):
        parity._judge(sentiment.app, {"keras": {"accuracy": 1.0}, "dynamic.tflite": form}, configuration.Export())


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


def test_a_target_that_cannot_be_written(sentiment, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="Cannot write"):
        release(sentiment.app, sentiment.run, tmp_path / "file")


def test_a_full_disk_leaves_nothing_half_written(sentiment, tmp_path):
    """A limit on file size stands for the full disk: the write fails in the operating system."""
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from rnnsuite.cli import main; main(sys.argv[1:])\n"
    )
    command = ["export", "sentiment", "--run", str(sentiment.run), "--to", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(tmp_path) == []


def test_a_child_that_dies_is_reported(tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(
        "import os, signal, sys; print('last words', file=sys.stderr); os.kill(os.getpid(), signal.SIGSEGV)"
    )
    with pytest.raises(child.ExportFailed, match=r"dies\.py was killed by signal 11\.\nlast words"):
        child.run(script)
