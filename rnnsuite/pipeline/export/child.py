"""Child processes: some work may kill its process, and some proofs need one that is bare."""

import os
import pathlib
import subprocess
import sys

from rnnsuite.core.errors import ExportFailed, UserError
from rnnsuite.core.files import no_room, refusal

LINES = 15
"""Lines of standard error that an error shows."""

BESIDE = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a file whose folder is one that modules are found in."""


def run_file(script: pathlib.Path | str, *arguments: object) -> None:
    """Runs a Python file without the current folder and user's settings. Raises ExportFailed."""
    _run(pathlib.Path(script).name, ["-I", str(script), *map(str, arguments)])


def run_beside(script: pathlib.Path, *arguments: object) -> None:
    """The same of a file that imports those that lie beside it."""
    _run(script.name, ["-I", "-c", BESIDE, str(script), *map(str, arguments)])


def run_module(module: str, *arguments: object) -> None:
    """Runs `python -m module`. Raises ExportFailed."""
    _run(module, ["-m", module, *map(str, arguments)])


def _run(name: str, words: list[str]) -> None:
    status, said = ended(words)
    if not status:
        return
    reason = refusal(said)
    if reason:
        raise UserError(no_room(reason, ", or what is exported"))
    last = "\n".join(said.strip().splitlines()[-LINES:])
    if status < 0:
        raise ExportFailed(f"{name} was killed by signal {-status}.\n{last}")
    raise ExportFailed(f"{name} ended with {status}.\n{last}")


def ended(words: list[str]) -> tuple[int, str]:
    """The exit status of `python WORDS`, negative for a signal, and its standard error."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, errors="replace"
    )
    return done.returncode, done.stderr
