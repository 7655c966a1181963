"""A trained model by its path: a run, a SavedModel folder or a .tflite file."""

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.data.notes import say
from rnnsuite.pipeline import releases
from rnnsuite.pipeline.inference.lite import open_lite
from rnnsuite.pipeline.inference.predictor import Predictor, graph_predictor
from rnnsuite.pipeline.inference.saved_model import is_saved_model, open_saved_model
from rnnsuite.pipeline.run import Run, load_fitted


def open_model(app: App, path: str | pathlib.Path, overrides: Sequence[str] = ()) -> Predictor:
    """Opens a trained model.

    Args:
        app: its application.
        path: a run, a SavedModel folder or a .tflite file; see `find_model`.
        overrides: `key=value` of a run's sections that bind no training; what is exported keeps
            the settings that it was exported with.

    Returns:
        A predictor.

    Raises:
        UserError: for no model, a damaged one, or one of another application.
    """
    path = find_model(app, pathlib.Path(path))
    if overrides and (path.suffix == ".tflite" or is_saved_model(path)):
        raise UserError(f"{path} answers as it was exported; {overrides[0]} holds for a run only.")
    if path.suffix == ".tflite":
        read_card(app, path, path.parent / releases.CARD)
        return open_lite(app, path)
    if is_saved_model(path):
        read_card(app, path, path / "assets.extra" / releases.CARD)
        return open_saved_model(path)
    return graph_predictor("run", Run(app, path).signatures(overrides))


def find_model(app: App, path: pathlib.Path) -> pathlib.Path:
    """The model that a path stands for: itself, or the newest version in it.

    Args:
        app: the application.
        path: a run, a SavedModel folder, a .tflite file, a folder of versions, or the folder of
            all models.

    Returns:
        A run, a SavedModel folder or a .tflite file.

    Raises:
        UserError: where there is none, naming what is there.
    """
    if path.suffix == ".tflite":
        if not path.is_file():
            raise UserError(f"There is no file {path}.{_beside(path.parent)}")
        return path
    if is_saved_model(path) or (path / "config.yaml").is_file():
        return path
    for folder in (path, path / app.name):
        versions = [entry for entry in releases.versions(folder) if is_saved_model(entry)]
        if versions:
            say(f"Taking version {versions[-1].name} of {folder}.")
            return versions[-1]
    if not path.is_dir():
        raise UserError(
            f"There is no model at {path}: give a run folder, a SavedModel folder or a .tflite "
            f"file."
        )
    raise UserError(f"{path} is no run, no SavedModel folder and no .tflite file.{_beside(path)}")


def _beside(folder: pathlib.Path) -> str:
    """What could be meant instead, in a sentence."""
    if not folder.is_dir():
        return ""
    found = [
        *folder.glob("*.tflite"),
        *(entry.parent for entry in folder.glob("*/config.yaml")),
        *(entry.parent for entry in folder.glob("*/saved_model.pb")),
        *(entry.parent for entry in folder.glob("*/*.tflite")),
    ]
    names = ", ".join(sorted({str(entry) for entry in found})[:5])
    return f" There are: {names}." if names else ""


def read_card(app: App, model: pathlib.Path, card: pathlib.Path) -> dict[str, Any]:
    """The configuration in the card beside a model; empty where there is no card.

    Raises:
        UserError: for a damaged card, or another application's.
    """
    if not card.is_file():
        return {}
    try:
        values = json.loads(card.read_text(encoding="utf-8"))["config"]
        name = values.get("app")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{card} is damaged.") from error
    if name != app.name:
        raise UserError(f"{model} is a model of {name}, not of {app.name}.")
    return values


def fitted_of(app: App, path: str | pathlib.Path) -> Any:
    """What was fitted on train, of a model of any form. Raises UserError where it is not kept."""
    path = pathlib.Path(path)
    if not (path / "fitted.json").is_file():
        path = find_model(app, path)
    candidates = [
        path / "fitted.json",
        path / "assets.extra" / "fitted.json",
        path.parent / "fitted.json",
    ]
    for candidate in candidates:
        if candidate.is_file():
            return load_fitted(app, candidate)
    raise UserError(
        f"There is no fitted.json with {path}: give a run, or a model as it was exported."
    )
