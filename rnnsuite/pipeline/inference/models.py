"""A trained model by its path: a run, a SavedModel folder or a .tflite file."""

import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.inference.lite import open_lite
from rnnsuite.pipeline.inference.predictor import Predictor, graph_predictor
from rnnsuite.pipeline.inference.saved_model import is_saved_model, open_saved_model
from rnnsuite.pipeline.run import Run, load_fitted


def open_model(app: App, path: str | pathlib.Path, overrides: Sequence[str] = ()) -> Predictor:
    """Opens a trained model.

    Args:
        app: its application.
        path: a run, a SavedModel folder or a .tflite file.
        overrides: `key=value` of a run's sections that bind no training; what is exported keeps
            the settings that it was exported with.

    Returns:
        A predictor.

    Raises:
        UserError: for no model, a damaged one, or one of another application.
    """
    path = pathlib.Path(path)
    if overrides and (path.suffix == ".tflite" or is_saved_model(path)):
        raise UserError(f"{path} answers as it was exported; {overrides[0]} holds for a run only.")
    if path.suffix == ".tflite":
        return open_lite(app, path)
    if is_saved_model(path):
        return open_saved_model(path)
    if path.is_dir():
        return graph_predictor("run", Run(app, path).signatures(overrides))
    raise no_model(path)


def no_model(path: pathlib.Path) -> UserError:
    """The error for a path without a model."""
    return UserError(
        f"There is no model at {path}: give a run folder, a SavedModel folder or a .tflite file."
    )


def fitted_of(app: App, path: str | pathlib.Path) -> Any:
    """What was fitted on train, of a model of any form. Raises UserError where it is not kept."""
    path = pathlib.Path(path)
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
