"""Files and folders that appear whole or not at all."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from rnnsuite.errors import UserError

PART = ".part-"
"""How the names of files begin that are not whole: what a kill leaves behind."""


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary path beside `path` to write to; it takes `path`'s place when the block ends well.

    A kill, a full disk or an exception leaves the old file, if any, as it was.
    The temporary name keeps `path`'s ending, because some writers go by it.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")
    try:
        yield part
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: pathlib.Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: pathlib.Path, value) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: pathlib.Path):
    """The value in a JSON file. Raises UserError naming the file when it is damaged."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged, it is no JSON ({error}).") from error


@contextlib.contextmanager
def whole_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A hidden folder beside `path` to fill; renamed to `path`, which must not exist, when the block ends well."""
    path = pathlib.Path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{PART}{path.name}-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        part = pathlib.Path(tempfile.mkdtemp(prefix=f"{PART}{path.name}-", dir=path.parent))
    try:
        with explained(path):
            yield part
            part.chmod(0o755)
            part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def only_one(path: pathlib.Path, otherwise: str) -> Iterator[None]:
    """Within, no other process is in a block of the same `path`. Raises UserError(otherwise) where one is.

    The file stays; the hold on it ends with the process, however that ends.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise UserError(otherwise) from error
    try:
        yield
    finally:
        os.close(held)


@contextlib.contextmanager
def explained(path: pathlib.Path) -> Iterator[None]:
    """Turns the file system's refusals (read-only, full, ...) into a UserError that names `path`."""
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}. Nothing was left half-written.") from error
