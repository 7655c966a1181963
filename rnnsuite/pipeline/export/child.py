"""Child processes: some work may kill its process, and some proofs need one that is bare."""

import os
import pathlib
import subprocess
import sys

from rnnsuite.core.errors import ExportFailed

LINES = 15
"""Lines of standard error that an error shows."""


def run_file(script: pathlib.Path | str, *arguments: object) -> None:
    """Runs a Python file without the current folder and user's settings. Raises ExportFailed."""
    _run(pathlib.Path(script).name, ["-I", str(script), *map(str, arguments)])


def run_module(module: str, *arguments: object) -> None:
    """Runs `python -m module`. Raises ExportFailed."""
    _run(module, ["-m", module, *map(str, arguments)])


def _run(name: str, words: list[str]) -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, errors="replace"
    )
    if not done.returncode:
        return
    last = "\n".join(done.stderr.strip().splitlines()[-LINES:])
    if done.returncode < 0:
        raise ExportFailed(f"{name} was killed by signal {-done.returncode}.\n{last}")
    raise ExportFailed(f"{name} ended with {done.returncode}.\n{last}")
