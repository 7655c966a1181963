"""Real processes of ours: started, watched, killed."""

import gc
import json
import multiprocessing
import os
import pathlib
import runpy
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

ALONE = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
bad = [module for module in sys.modules if module.split(".")[0] in ("rnnsuite", "apps")]
assert not bad, bad
"""
"""Runs a file and asserts that it imports nothing of ours."""


def run_alone(script: pathlib.Path | str, *arguments: object) -> None:
    """A Python file run in a forked process that must not import anything of ours."""
    status, said = python_forked(["-I", "-c", ALONE, str(script), *map(str, arguments)])
    assert status == 0, said[-2000:]


def ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["keras", "tensorflow", "tensorflow_text", "tensorflow_datasets", "sklearn.metrics", "pydantic"]
)
"""Processes are forked from one that has imported these, which takes each of them seconds."""


class Process:
    """`rnnsuite WORDS` in a process of its own."""

    def __init__(self, words: Sequence[str], log: pathlib.Path, environment: dict[str, str]):
        log.touch()
        given = (list(words), str(log), environment, os.getcwd())
        self._forked = FORKS.Process(target=_called, args=given, daemon=True)
        self._forked.start()
        self.pid = self._forked.pid

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None as long as it runs."""
        return self._forked.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """The exit status at last."""
        self._forked.join(seconds)
        status = self.poll()
        assert status is not None, f"process {self.pid} still runs after {seconds} s"
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _placed(log: str, environment: dict[str, str], folder: str) -> None:
    """Gives a forked process its outputs, environment and folder."""
    gc.freeze()  # the converter collects garbage for every file: not among what was imported
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path, mode in ((1, f"{log}.out", "wb"), (2, log, "ab")):
        with open(path, mode) as stream:
            os.dup2(stream.fileno(), number)


def _called(words: list[str], log: str, environment: dict[str, str], folder: str) -> None:
    """What a forked process does: the command, as `python -m rnnsuite` would."""
    _placed(log, environment, folder)
    multiprocessing.current_process()._config["daemon"] = False  # a server has a process of its own
    sys.argv = ["rnnsuite", *words]
    sys.orig_argv[:] = [sys.executable, "-m", "rnnsuite", *words]
    from rnnsuite.cli.main import main

    main()


def python_forked(words: Sequence[str]) -> tuple[int, str]:
    """`python WORDS` in a forked process: its exit status and its standard error.

    WORDS begin with -m and a module, with -I and a file, or with -c and a program (behind -I).
    """
    with tempfile.TemporaryDirectory() as place:
        log = pathlib.Path(place) / "log"
        log.touch()
        given = (list(words), str(log), dict(os.environ), os.getcwd())
        forked = FORKS.Process(target=_ran, args=given, daemon=True)
        forked.start()
        forked.join()
        return forked.exitcode, log.read_text(errors="replace")


def _ran(words: list[str], log: str, environment: dict[str, str], folder: str) -> None:
    _placed(log, environment, folder)
    option, name, *arguments = words[1:] if words[:2] == ["-I", "-c"] else words
    sys.argv = [name, *arguments]
    if option == "-c":
        exec(name, {"__name__": "__main__"})
    else:
        run = {"-m": runpy.run_module, "-I": runpy.run_path}[option]
        run(name, run_name="__main__")


def start(words: Sequence[object], log: pathlib.Path, **environment: str) -> Process:
    """`rnnsuite WORDS`, its standard error added to `log` and its standard output to `log`.out."""
    return Process([str(word) for word in words], log, {**os.environ, **environment})


def wait(condition: Callable[[], object], log: pathlib.Path, seconds: float = 180) -> object:
    """What `condition` gives when that is true at last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(log.read_text()[-3000:])


def ended(process: Process, log: pathlib.Path, seconds: float = 240) -> dict:
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


PEAK = pathlib.Path("/proc/self/clear_refs")
"""Where Linux is told to measure anew what memory this process holds at most."""


def reset_peak() -> None:
    """`peak` counts from now on."""
    PEAK.write_text("5")


def peak() -> int:
    """Bytes that this process has held at most since `reset_peak`."""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
