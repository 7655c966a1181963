"""Real processes of ours: started, watched, killed."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

ALONE = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
bad = [module for module in sys.modules if module.split(".")[0] in ("rnnsuite", "apps")]
assert not bad, bad
"""
"""Runs a file and asserts that it imports nothing of ours."""


def run_alone(script: pathlib.Path | str, *arguments: object) -> None:
    """A Python file run in a process that must not import anything of ours."""
    command = [sys.executable, "-I", "-c", ALONE, str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def start(words: Sequence[object], log: pathlib.Path, **environment: str) -> subprocess.Popen:
    """`rnnsuite WORDS`, its standard error added to `log` and its standard output to `log`.out."""
    command = [sys.executable, "-m", "rnnsuite", *map(str, words)]
    with open(log, "ab") as said, open(f"{log}.out", "wb") as answered:
        return subprocess.Popen(
            command, stdout=answered, stderr=said, env={**os.environ, **environment}
        )


def wait(condition: Callable[[], object], log: pathlib.Path, seconds: float = 180) -> object:
    """What `condition` gives when that is true at last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(log.read_text()[-3000:])


def ended(process: subprocess.Popen, log: pathlib.Path, seconds: float = 240) -> dict:
    """What a process that ends well has printed with --json."""
    assert process.wait(seconds) == 0, log.read_text()[-3000:]
    return json.loads(pathlib.Path(f"{log}.out").read_text())


def film_reviews(path: pathlib.Path, count: int) -> pathlib.Path:
    """A table that a small model learns at once."""
    rows = (
        f"{word} film number {n % 30},{word}\n" for n in range(count) for word in ("good", "bad")
    )
    path.write_text("text,label\n" + "".join(rows))
    return path


def overrides(*settings: str) -> list[str]:
    return [word for each in settings for word in ("--set", each)]
