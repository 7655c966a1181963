"""Child processes: some work may kill its process, and some proofs need one that knows nothing of us."""

import os
import pathlib
import subprocess
import sys

from rnnsuite.errors import UserError


class ExportFailed(UserError):
    """An export that could not be made or that does not answer as the model does. Nothing was published."""


def run(script: pathlib.Path | str, *arguments: object, isolated: bool = True) -> None:
    """Runs a Python file; `isolated`, without the current folder and user's settings. Raises ExportFailed."""
    command = [sys.executable, *(["-I"] if isolated else []), str(script), *map(str, arguments)]
    if not isolated:
        command = [sys.executable, "-m", str(script), *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, errors="replace")
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        died = f"was killed by signal {-done.returncode}" if done.returncode < 0 else f"ended with {done.returncode}"
        raise ExportFailed(f"{pathlib.Path(str(script)).name} {died}.\n{last}")
