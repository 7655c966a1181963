"""Released models by name: where they are, and what their cards say. Imports no TensorFlow."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import rnnsuite
from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_yaml

PLACE = "RNNSUITE_MODELS"
"""Environment variable: a folder of released models that is looked into first."""
CARD = "model_card.json"
MEGABYTE = 2**20


def places() -> list[pathlib.Path]:
    """Folders of released models that exist: $RNNSUITE_MODELS, ./saved_models, the clone's own."""
    own = pathlib.Path(rnnsuite.__file__).parent.parent / "saved_models"
    given = os.environ.get(PLACE)
    folders = [*([pathlib.Path(given)] if given else []), pathlib.Path("saved_models"), own]
    return list({folder.resolve(): folder for folder in folders if folder.is_dir()}.values())


def folder_of(app: str) -> pathlib.Path:
    """The folder of an application's released versions. Raises UserError without any."""
    for place in places():
        if versions(place / app):
            return place / app
    searched = ", ".join(map(str, places())) or "saved_models"
    raise UserError(
        f"There is no released model of {app} in {searched}. Train one, or say where models are "
        f"by {PLACE}."
    )


def app_of(path: pathlib.Path) -> str:
    """The name of a model's application, by what lies with it.

    Args:
        path: a run, a SavedModel folder, a .tflite file or a folder of versions.

    Raises:
        UserError: where nothing says it.
    """
    if path.suffix == ".tflite":
        return _app_of_card(path.parent / CARD)
    if (path / "config.yaml").is_file():
        try:
            return str(read_yaml(path / "config.yaml")["app"])
        except (UserError, KeyError) as error:
            raise UserError(f"{path / 'config.yaml'} is damaged: it names no app.") from error
    newest = versions(path)[-1:] or [path]
    return _app_of_card(newest[0] / "assets.extra" / CARD)


def _app_of_card(path: pathlib.Path) -> str:
    if not path.is_file():
        raise UserError(f"There is no {path}, which would say whose model it is: give app=.")
    name = _read(path).get("name")
    if not isinstance(name, str):
        raise UserError(f"{path} is damaged: it names no application.")
    return name


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: {error}") from error
    if not isinstance(card, dict):
        raise UserError(f"{path} is damaged: no object.")
    return card


def versions(folder: pathlib.Path) -> list[pathlib.Path]:
    """What is named by a number in a folder, in their order; nothing where there is no folder."""
    entries = folder.iterdir() if folder.is_dir() else ()
    named = [entry for entry in entries if entry.name.isdecimal() and entry.name.isascii()]
    return sorted(named, key=lambda entry: int(entry.name))


def summaries() -> list[dict[str, Any]]:
    """What there is of each released version: name, version, sizes, score, licence of its data."""
    found = []
    seen = set()
    for place in places():
        for app in sorted(entry for entry in place.iterdir() if entry.is_dir()):
            for version in versions(app):
                key = (app.name, version.name)
                if key not in seen and (version / "assets.extra" / CARD).is_file():
                    seen.add(key)
                    found.append(_summary(app, version))
    return found


def _summary(app: pathlib.Path, version: pathlib.Path) -> dict[str, Any]:
    card = _read(version / "assets.extra" / CARD)
    lite = app / "lite" / version.name
    score, records = _score(card)
    return {
        "model": app.name,
        "version": int(version.name),
        "MB": f"{_size(version) / MEGABYTE:.1f}",
        "tflite": ", ".join(
            f"{path.stem} {path.stat().st_size / MEGABYTE:.1f} MB"
            for path in sorted(lite.glob("*.tflite"))
        ),
        "score": score,
        "of": records,
        "licence": str(card.get("licence") or ""),
    }


def _score(card: Mapping[str, Any]) -> tuple[str, str]:
    """The primary metric that `evaluate --card` kept, or the export's proof; and of what."""
    for entry in card.get("scores") or ():
        name = entry["primary"]
        interval = (entry.get("interval") or {}).get(name)
        between = f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else ""
        return f"{name} {entry['metrics'][name]:.4g}{between}", _records(entry)
    parity = card.get("parity") or {}
    metrics = ((parity.get("forms") or {}).get("keras") or {}).items()
    numbers = [f"{name} {value:.4g}" for name, value in metrics if isinstance(value, int | float)]
    return ", ".join(numbers), _records(parity)


def _records(scored: Mapping[str, Any]) -> str:
    return f"{scored.get('records', '?')} records of {scored.get('split', '?')}"


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
