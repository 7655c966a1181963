"""What is kept between runs on this machine: samples, features, compiled code."""

import hashlib
import importlib.metadata
import os
import pathlib
import platform
import time

FLAGS = "TF_XLA_FLAGS"
"""Environment variable that tells TensorFlow where compiled code is kept."""
KEPT_DAYS = 14
"""Compiled code that has not been used for longer is removed."""


def cache_folder() -> pathlib.Path:
    """$RNNSUITE_CACHE, or ~/.cache/rnnsuite."""
    folder = os.environ.get("RNNSUITE_CACHE")
    return pathlib.Path(folder) if folder else pathlib.Path.home() / ".cache" / "rnnsuite"


def keep_compiled(root: pathlib.Path | None = None) -> None:
    """Lets XLA keep what it compiles, so that later processes need not compile it again.

    Call it before TensorFlow is imported. Compiled code is for one release of TensorFlow and one
    kind of processor, and is kept apart by them. Where TF_XLA_FLAGS is set already, nothing is
    changed.

    Args:
        root: where it is kept; `cache_folder()` by default.
    """
    if FLAGS in os.environ:
        return
    version = importlib.metadata.version("tensorflow")
    name = f"xla-{version}-{platform.machine()}-{_processor()}"
    folder = (root or cache_folder()) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_old(folder)
    except OSError:  # a home that cannot be written: compile every time
        return
    os.environ[FLAGS] = f"--tf_xla_persistent_cache_directory={folder}"


def _processor() -> str:
    """Names the instruction sets of this machine."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    flags = next((line for line in lines if line.startswith("flags")), platform.processor())
    return hashlib.sha256(flags.encode()).hexdigest()[:8]


def _remove_old(folder: pathlib.Path) -> None:
    limit = time.time() - KEPT_DAYS * 86400
    for file in folder.iterdir():
        if file.stat().st_atime < limit:
            file.unlink(missing_ok=True)
