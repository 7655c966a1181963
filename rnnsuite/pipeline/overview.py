"""All runs under a folder: how far each is, what it scored, and what it was asked that others were
not. Imports no TensorFlow.
"""

import csv
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_yaml

DEEPEST = 4
"""Folders between the one that is looked into and a run."""
SHOWN = 60
"""Characters of a setting."""


def runs(folder: pathlib.Path) -> list[dict[str, Any]]:
    """A row for each run, by application and time of the last change.

    Args:
        folder: it, or a folder of such, holds the runs.

    Returns:
        Rows of run, app, state, epochs, the scores that training kept the best epoch by, and the
        settings in which the runs of an application differ.
    """
    return _shown([_row(path) for path in _folders(folder, DEEPEST)])


def compared(folders: Sequence[pathlib.Path]) -> list[dict[str, Any]]:
    """A row for each of several runs of one application, in their order, with all that it scored.

    Args:
        folders: of the runs.

    Returns:
        Rows as `runs` gives them, with `scores` of the whole metrics.json, and `history`: numbers
        by column, a row for each epoch.

    Raises:
        UserError: where a folder is no run, or where they are of several applications.
    """
    for folder in folders:
        if not (folder / "config.yaml").is_file():
            raise UserError(f"{folder} is no run: it has no config.yaml.")
    found = [_row(folder) for folder in folders]
    apps = sorted({row["app"] for row in found})
    if len(apps) > 1:
        raise UserError(f"Runs of one application can be compared, not of {', '.join(apps)}.")
    rows = {row["run"]: row for row in _shown(found)}
    whole = []
    for folder in folders:
        history = [
            {name: float(value) for name, value in row.items() if _is_number(value)}
            for row in _history(folder / "history.csv")
        ]
        metrics = {
            name: value
            for name, value in _metrics(folder / "metrics.json").items()
            if isinstance(value, int | float)
        }
        row = rows[str(folder)]
        whole.append({**row, "scores": metrics or row["scores"], "history": history})
    return whole


def _shown(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows by application and time, with the settings in which those of one differ."""
    found.sort(key=lambda row: (row["app"], row["changed"]))
    for app in {row["app"] for row in found}:
        same = [row for row in found if row["app"] == app]
        differing = _differing([row["config"] for row in same])
        for row in same:
            row["settings"] = {key: row["config"][key] for key in differing if key in row["config"]}
    shown = ("run", "app", "state", "epochs", "scores", "settings")
    return [{name: row[name] for name in shown} for row in found]


def _folders(folder: pathlib.Path, deepest: int) -> Iterator[pathlib.Path]:
    if (folder / "config.yaml").is_file():
        yield folder
        return
    if not deepest or not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            yield from _folders(entry, deepest - 1)


def _row(path: pathlib.Path) -> dict[str, Any]:
    try:
        config = read_yaml(path / "config.yaml")
        app = str(config["app"])
    except (OSError, UserError, KeyError, TypeError):
        return {
            "run": str(path),
            "app": "?",
            "state": "config.yaml is damaged",
            "changed": path.stat().st_mtime,
            **{"epochs": "", "scores": {}, "config": {}, "settings": {}},
        }
    history = _history(path / "history.csv")
    metrics = _metrics(path / "metrics.json")
    monitored = (config.get("train") or {}).get("monitor") or "val_loss"
    values = [float(row[monitored]) for row in history if _is_number(row.get(monitored))]
    scores = {"last " + monitored: values[-1]} if values else {}
    if metrics:
        scores = {name: v for name, v in metrics.items() if name == monitored}
    total = (config.get("train") or {}).get("epochs", "?")
    return {
        "run": str(path),
        "app": app,
        "state": "finished" if metrics else "begun" if history else "no epoch yet",
        "changed": max(entry.stat().st_mtime for entry in (path, *path.glob("*.csv"))),
        "epochs": f"{len(history)} of {total}",
        "scores": scores,
        "config": _flat(config),
        "settings": {},
    }


def _history(path: pathlib.Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _metrics(path: pathlib.Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            text = json.dumps(value, ensure_ascii=False, default=str)
            flat[f"{prefix}{key}"] = text[:SHOWN].strip('"')
    return flat


def _differing(configs: Sequence[Mapping[str, str]]) -> list[str]:
    keys = dict.fromkeys(key for config in configs for key in config)
    return [key for key in keys if len({config.get(key) for config in configs}) > 1]
