"""Files and folders that appear whole or not at all."""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import ruamel.yaml

from rnnsuite.core.errors import UserError
from rnnsuite.core.text import one_line

PART = ".part-"
"""Prefix of unfinished files and folders: what a kill leaves behind."""
REFUSALS = tuple(
    os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
)
"""What the operating system says where nothing can be written, also within TensorFlow's errors."""
MOST_VALUES = 100_000
"""In a YAML file."""


@contextlib.contextmanager
def atomic_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary path beside `path`, which takes its place when the block ends well.

    A kill, a full disk or an exception leaves the old file, if any, as it was. The temporary name
    keeps `path`'s ending, because some writers go by it.

    Args:
        path: the file to write; its folder is created.

    Yields:
        The path to write to.
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
    """Writes a UTF-8 file atomically."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: pathlib.Path) -> Any:
    """The value in a JSON file. Raises UserError naming the file when it is damaged."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged, it is no JSON ({error}).") from error


def read_yaml(path: pathlib.Path) -> dict[str, Any]:
    """A YAML 1.2 mapping. Raises UserError naming the file and line of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
        values = ruamel.yaml.YAML(typ="safe", pure=True).load(text)
    except RecursionError as error:
        raise UserError(f"{path} is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}).") from error
    except (ruamel.yaml.YAMLError, ValueError) as error:  # ValueError: of numbers and dates
        raise UserError(f"{path} is no valid YAML: {one_line(error, 300)}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} must hold a mapping of sections, not {type(values).__name__}.")
    if _more_than(values, MOST_VALUES):
        raise UserError(f"{path} holds more than {MOST_VALUES} values, aliases counted as written.")
    return values


def _more_than(values: Any, limit: int) -> bool:
    """Whether nested values are more than so many: aliases of aliases can be billions."""
    count = 0
    rest = [values]
    while rest:
        value = rest.pop()
        count += 1
        if count > limit:
            return True
        if isinstance(value, dict):
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
    return False


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A hidden folder beside `path` to fill, renamed to `path` when the block ends well.

    Args:
        path: the folder to make, which must not exist.

    Yields:
        The folder to fill.

    Raises:
        UserError: where it cannot be written.
    """
    path = pathlib.Path(path)
    with as_user_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f"{PART}{path.name}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        part = pathlib.Path(tempfile.mkdtemp(prefix=f"{PART}{path.name}-", dir=path.parent))
    try:
        with as_user_error(path):
            yield part
            part.chmod(0o755)
            part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def exclusive(path: pathlib.Path, message: str) -> Iterator[None]:
    """Within, no other process is in a block of the same `path`.

    The file stays; the lock on it ends with the process, however that ends.

    Raises:
        UserError: `message`, where another process is.
    """
    with as_user_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UserError(message) from error
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def as_user_error(path: pathlib.Path) -> Iterator[None]:
    """Turns the file system's refusals (read-only, full) into a UserError that names `path`."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"Cannot write {path}: {reason}. Nothing was left half-written.") from error
    except Exception as error:
        reason = refusal(error)
        if not reason:
            raise
        raise UserError(f"Cannot write {path}: {reason}. Nothing was left half-written.") from error


def refusal(error: object) -> str:
    """The file system's refusal that a message tells of, such as one of TensorFlow's; else ""."""
    return next((text for text in REFUSALS if text in str(error)), "")


@contextlib.contextmanager
def temporary_folder() -> Iterator[pathlib.Path]:
    """A folder for what is needed within. Raises UserError where there is no room for it."""
    try:
        with tempfile.TemporaryDirectory() as place:
            yield pathlib.Path(place)
    except UserError:
        raise
    except Exception as error:
        reason = refusal(error)
        if not reason and "No usable temporary directory" in str(error):
            reason = "there is no folder to write in"
        if not reason:
            raise
        raise UserError(no_room(reason)) from error


def no_room(reason: str, besides: str = "") -> str:
    """What to do where temporary files cannot be written. besides: what else it may be."""
    place = os.environ.get("TMPDIR")
    where = f" in {place}" if place else ""
    return (
        f"Cannot write temporary files{where}{besides}: {reason}. Set TMPDIR to a folder with room."
    )
