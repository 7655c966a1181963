"""The native library: built, loaded, and checked before it is believed."""

import functools
import hashlib
import logging
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

from rnnsuite.core.cache import cache_folder
from rnnsuite.layers.scan.native import check

log = logging.getLogger(__name__)
FOLDER = pathlib.Path(__file__).parent
LEVELS = {
    "avx512": (("avx512f", "avx2", "fma"), ("-mavx512f", "-mavx2", "-mfma")),
    "avx2": (("avx2", "fma"), ("-mavx2", "-mfma")),
}
"""Instruction sets, the best first: what a processor must have, and what a compiler is told."""
COMPILERS = ("c++", "g++", "clang++")
SECONDS = 120
"""For which a compiler is waited for."""
LINES = 3
"""Of a compiler's complaint that are shown."""


_modules: dict[str, Any] = {}


class NotUsable(Exception):
    """Why the native kernel cannot be used here, in a few words."""


class Library:
    """The operations of one instruction set."""

    def __init__(self, path: pathlib.Path, level: str):
        self.level = level
        # A process can register operations once.
        if level not in _modules:
            _modules[level] = tf.load_op_library(str(path))
        self._module = _modules[level]

    def operation(self, name: str) -> Any:
        """An operation as a Python function: `lstm`, `lstm_grad`, `gru` or `gru_grad`."""
        return getattr(self._module, f"rnnsuite{self.level}_{name}")


@functools.cache
def library() -> Library | None:
    """The library for this machine's processor; None, and one line in the log, without one."""
    try:
        return opened(best_level())
    except NotUsable as reason:
        log.info("Recurrent layers run without their native kernel: %s", reason)
        return None


def best_level() -> str:
    """The best instruction set that this processor has. Raises NotUsable without any."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NotUsable(f"there is none for {platform.machine()} under {sys.platform}")
    return _best_of(pathlib.Path("/proc/cpuinfo").read_text())


def _best_of(cpuinfo: str) -> str:
    lines = [line for line in cpuinfo.splitlines() if line.startswith("flags")]
    flags = set(lines[0].split()) if lines else set()
    for level, (needed, _) in LEVELS.items():
        if flags.issuperset(needed):
            return level
    raise NotUsable("the processor has no AVX2")


def opened(level: str) -> Library:
    """The library of an instruction set, built if it is not in the cache.

    Args:
        level: one of `LEVELS`.

    Raises:
        NotUsable: without a compiler, or when the library does not compute what it should.
    """
    path = cache_folder() / f"native-{_digest(level)}.so"
    if not path.is_file():
        _build(level, path)
    try:
        loaded = Library(path, level)
        with context.eager_mode():  # also while a graph is traced
            check.check(loaded)
    except (tf.errors.OpError, check.Wrong, AttributeError) as error:
        raise NotUsable(f"{path} is broken ({_last(str(error))}); remove it") from error
    return loaded


def _digest(level: str) -> str:
    """Of all that the library is made of, so that each gets a file of its own."""
    digest = hashlib.sha256(f"{level} {tf.__version__}".encode())
    for path in sorted([*FOLDER.glob("*.h"), *FOLDER.glob("*.cc")]):
        digest.update(path.read_bytes())
    return f"{level}-{digest.hexdigest()[:16]}"


def compiler() -> str:
    """$CXX, or the first of `COMPILERS`. Raises NotUsable without any."""
    for name in (os.environ.get("CXX"), *COMPILERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise NotUsable(f"no compiler ({', '.join(COMPILERS)})")


def _build(level: str, path: pathlib.Path) -> None:
    """Compiles the library; several processes may do so at a time. Raises NotUsable."""
    command = [compiler(), "-O3", "-std=c++17", "-fPIC", "-shared", "-w", *LEVELS[level][1]]
    include = tf.sysconfig.get_include()
    framework = ["-L", tf.sysconfig.get_lib(), "-l:libtensorflow_framework.so.2", "-pthread"]
    sources = sorted(map(str, FOLDER.glob("*.cc")))
    log.info("Building the native kernel of recurrent layers, once; it takes some seconds.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as place:
            target = pathlib.Path(place) / path.name
            words = [*command, "-I", include, *sources, *framework, "-o", str(target)]
            done = subprocess.run(
                words, capture_output=True, text=True, errors="replace", timeout=SECONDS
            )
            if done.returncode:
                raise NotUsable(f"{command[0]} failed: {_last(done.stderr)}")
            os.replace(target, path)
    except subprocess.TimeoutExpired as error:
        raise NotUsable(f"{command[0]} took more than {SECONDS} s") from error
    except OSError as error:
        raise NotUsable(f"it cannot be built: {error}") from error


def _last(text: str) -> str:
    return " ".join(text.strip().splitlines()[-LINES:])
