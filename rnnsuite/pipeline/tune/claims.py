"""The folder of a search: bound to settings and data, so that nobody mixes two searches."""

import pathlib
from collections.abc import Mapping
from typing import Any

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import as_user_error, read_json, write_json
from rnnsuite.core.nested import differences
from rnnsuite.data.fingerprint import fingerprint
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.claim import check_data, remove
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.export.searched import RECORD

ENTRIES = ("search.json", "spent.json", "trials", "oracle", "workers", *RECORD)
"""All that the folder of a search may hold."""


def claim(folder: pathlib.Path, config: Config, fresh: bool, is_worker: bool) -> None:
    """Binds the folder to settings and data; only `trials`, `keep` and `hours` may change.

    A search without a trial that was trained claims nothing. A worker leaves to its chief what is
    in the folder.
    """
    path = folder / "search.json"
    settings = configuration.plain(config)
    free = ("trials", "keep", "hours")
    settings["tune"] = {key: value for key, value in settings["tune"].items() if key not in free}
    settings["files"] = fingerprint(config.data.source)
    stored = read_json(path) if path.is_file() else {}
    if stored and not fresh and has_trials(folder):
        _check_same(folder, stored, settings, config.data.source)
    elif not is_worker:
        if fresh or stored != settings:
            _empty(folder)
        with as_user_error(folder):
            write_json(path, settings)


def _check_same(
    folder: pathlib.Path, stored: Mapping[str, Any], settings: Mapping[str, Any], source: str
) -> None:
    keys = {key for key in differences(stored, settings) if key.split(".")[0] != "files"}
    if keys:
        raise UserError(
            f"{folder} holds a search with other settings ({', '.join(sorted(keys))}). Choose "
            f"another folder with --run, or search anew in this one with --fresh."
        )
    check_data(stored.get("files"), settings["files"], source, str(folder))


def has_trials(folder: pathlib.Path) -> bool:
    """Whether anything was trained in the search."""
    trials = folder / "trials"
    return any(trials.glob("*/checkpoints/*.npz")) or any(trials.glob("*/metrics.json"))


def _empty(folder: pathlib.Path) -> None:
    """Removes what a search has left in its folder."""
    entries = list(folder.iterdir()) if folder.is_dir() else []
    strange = [entry.name for entry in entries if entry.name not in ENTRIES]
    if strange and not (folder / "search.json").is_file():
        raise UserError(
            f"{folder} is neither empty nor a search. Choose another folder with --run."
        )
    for entry in entries:
        # Workers may be there before their chief.
        if entry.name in ENTRIES and entry.name != "workers":
            remove(entry)
