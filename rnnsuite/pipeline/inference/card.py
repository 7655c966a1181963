"""The configuration that a model of any form was trained with."""

import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.app import App
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config, Schema
from rnnsuite.pipeline.inference.models import find_model, read_card
from rnnsuite.pipeline.releases import CARD
from rnnsuite.pipeline.run import Run


def training_config(app: App, model: pathlib.Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration stored with a run, a SavedModel (its model card) or beside a .tflite.

    Args:
        app: the application.
        model: the model's path.
        overrides: `key=value`, applied on top.

    Returns:
        The configuration; the defaults where none is stored.

    Raises:
        UserError: for no model, a damaged card, or another application's model.
    """
    schema = Schema.of(app)
    return schema.build(schema.override(_values(app, model), overrides))


def data_section(
    app: App, model: pathlib.Path, source: str | None, overrides: Sequence[str] = ()
) -> Any:
    """The data section that a model was trained with, its source replaced where one is given."""
    schema = Schema.of(app)
    values = _values(app, model)
    if source:
        # Fields, splits and columns belong to the source that they were written for.
        data = {
            key: value
            for key, value in values.get("data", {}).items()
            if key not in ("splits", "columns")
        }
        values = {**values, "data": {**data, "source": source}}
    return schema.build(schema.override(values, overrides)).data


def _values(app: App, path: pathlib.Path) -> dict[str, Any]:
    model = path if (path / CARD).is_file() else find_model(app, path)
    if (model / "config.yaml").is_file():
        return configuration.plain(Run(app, model).config())
    for card in (model / CARD, model / "assets.extra" / CARD, model.parent / CARD):
        values = read_card(app, model, card)
        if values:
            return Schema.of(app).upgrade(values)
    return {}
