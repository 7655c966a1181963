"""Whose a run folder is: bound to settings and data as soon as something is trained in it."""

import contextlib
import datetime
import pathlib
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping

from rnnsuite.core.errors import NotFinite, UserError
from rnnsuite.core.files import PART, as_user_error, exclusive, write_text
from rnnsuite.core.nested import differences
from rnnsuite.data.fingerprint import changed, fingerprint
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.run import ENTRIES, UNBOUND_SECTIONS, Run

FREE = {"train.epochs", "train.strategy"}
"""Keys that may change from one training in a folder to the next."""
LOCK = ".lock"
NAMED = 3
"""Changed files that an error names."""


@contextlib.contextmanager
def locked(run: Run) -> Iterator[None]:
    """Within, no other process trains in the folder; what trains nothing leaves nothing.

    What a training that diverged before its first checkpoint has rescued stays to be looked at.

    Raises:
        UserError: where another process does, or the folder holds what is no run's.
    """
    check_is_ours(run)
    with exclusive(run.folder / LOCK, f"Another process is training in {run.folder}."):
        is_rescued = False
        try:
            yield
        except NotFinite:
            is_rescued = run.weights.is_file()
            raise
        finally:
            if not run.has_progress and not is_rescued:
                discard(run)


def claim(run: Run, config: Config, fresh: bool = False) -> None:
    """Claims a run's folder for a configuration, or checks that it is this configuration's already.

    A folder in which nothing has been trained yet claims nothing. Sections that say nothing about
    training may change, and so may train.strategy (how many machines train) and train.epochs.

    Args:
        run: whose folder it is.
        config: the configuration.
        fresh: whether what was trained there is deleted first.

    Raises:
        UserError: where the folder holds something else, or the data have changed.
    """
    files = fingerprint(config.data.source)
    if fresh or not run.has_progress:
        _empty(run)
    else:
        _check_settings(run, config)
        check_data(run.data().get("files"), files, config.data.source, str(run.folder))
    with as_user_error(run.folder):
        write_text(run.folder / "config.yaml", configuration.dump(config))
    begun = {
        "begun": datetime.datetime.now().astimezone().isoformat(" ", "seconds"),
        "command": shlex.join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    run.save_data({**begun, **run.data(), "source": config.data.source, "files": files})


def _check_settings(run: Run, config: Config) -> None:
    keys = differences(configuration.plain(run.config()), configuration.plain(config))
    unbound = (*UNBOUND_SECTIONS, *run.app.serving.sections)
    keys = {key for key in keys if key.split(".")[0] not in unbound} - FREE
    if keys:
        raise UserError(
            f"{run.folder} holds a run with other settings ({', '.join(sorted(keys))}). "
            "Choose another folder with --run, or train anew in this one with --fresh."
        )


def check_data(
    before: Mapping[str, str] | None, now: Mapping[str, str], source: str, place: str
) -> None:
    """Checks that a source is as it was.

    Args:
        before: its fingerprint; None where there was none.
        now: its fingerprint.
        source: its name.
        place: what was made with it.

    Raises:
        UserError: naming what has changed.
    """
    names = changed(before, now) if before is not None else []
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        raise UserError(
            f"The data in {source} have changed since {place} was begun "
            f"({', '.join(names[:NAMED])}{more}). Choose another folder with --run, or begin anew "
            f"in this one with --fresh."
        )


def check_is_ours(run: Run) -> None:
    """Raises UserError where a folder holds what is no run's."""
    if not run.folder.is_dir():
        return
    names = {entry.name for entry in run.folder.iterdir() if not entry.name.startswith(PART)}
    is_run = "config.yaml" in names and names & {"data.json", "fitted.json", "checkpoints"}
    if names - set(ENTRIES) or (names - {LOCK} and not is_run):
        raise UserError(
            f"{run.folder} is neither empty nor a run. Choose another folder with --run."
        )


def _empty(run: Run) -> None:
    """Removes what a run has left in its folder, but for the lock that this process holds."""
    for entry in run.folder.iterdir() if run.folder.is_dir() else ():
        if entry.name != LOCK and (entry.name in ENTRIES or entry.name.startswith(PART)):
            remove(entry)


def discard(run: Run) -> None:
    """Removes what a run has left in its folder, and the folder where nothing else is in it."""
    _empty(run)
    (run.folder / LOCK).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        run.folder.rmdir()


def remove(path: pathlib.Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
