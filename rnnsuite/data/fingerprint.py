"""Whether a source is the one that a run was trained on."""

import hashlib
import pathlib
from collections.abc import Mapping

CONTENT_BYTES = 64 * 2**20
"""Bytes of all files together up to which their contents are compared, else sizes and times."""
LISTED = 1000
"""Files that are compared by name; more are compared as one."""


def fingerprint(source: str) -> dict[str, str]:
    """A digest of every file of a source, by its name.

    Args:
        source: `sample`, `tfds:NAME`, or a path; also the beginning of the names of several files.

    Returns:
        Digests by file; empty for a data set that is generated or downloaded.
    """
    if source == "sample" or source.startswith("tfds:"):
        return {}
    root = pathlib.Path(source).expanduser()
    if root.is_dir():
        files = sorted(path for path in root.rglob("*") if path.is_file())
    elif root.is_file():
        files = [root]
    else:
        files = sorted(path for path in root.parent.glob(f"{root.name}.*") if path.is_file())
    base = root if root.is_dir() else root.parent
    by_content = sum(path.stat().st_size for path in files) <= CONTENT_BYTES
    digests = {
        path.relative_to(base).as_posix(): _digest(path, by_content)
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(base).parts)
    }
    if len(digests) <= LISTED:
        return digests
    whole = hashlib.sha256("".join(f"{name} {each}\n" for name, each in digests.items()).encode())
    return {f"the {len(digests)} files of {root.name}": whole.hexdigest()[:16]}


def _digest(path: pathlib.Path, by_content: bool) -> str:
    if not by_content:
        stat = path.stat()
        return f"{stat.st_size} bytes of {stat.st_mtime_ns}"
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The files that are not as they were, that are new, or that are gone."""
    names = before.keys() | now.keys()
    return sorted(name for name in names if before.get(name) != now.get(name))
