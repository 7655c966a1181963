"""Scores of a model on a split of records."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite import config as configuration
from rnnsuite import predict, sources
from rnnsuite.app import App, Score
from rnnsuite.errors import UserError
from rnnsuite.run import Run


def evaluate(
    app: App, model: str | pathlib.Path, data: str | None = None, split: str = "test", overrides: Sequence[str] = ()
) -> tuple[Score, int]:
    """The score of the model at `model` and the number of records scored.

    data: a source in place of the one that it was trained with; a path without splits of
    its own is used whole. Raises UserError where records or model are unusable.
    """
    settings = data_settings(app, pathlib.Path(model), data, overrides)
    of_decode = [override for override in overrides if override.startswith("decode.")]
    if data and sources.is_one_split(data):
        split = "all"
    records = collect(app.load(settings, split))
    predictor = predict.open_model(app, model, of_decode)
    score = app.score(records, predictor.answer(records), predict.fitted_of(app, model))
    if app.pictures:
        score = dataclasses.replace(score, plots={**score.plots, **app.pictures(predictor.answer, records)})
    return score, len(records)


def collect(records: Any, limit: int | None = None) -> list[Mapping[str, Any]]:
    """Records of a data set in memory, or `limit` of them, evenly spread: many sources are sorted by class.

    Raises UserError when there are none.
    """
    if limit:
        count = int(records.reduce(0, lambda seen, _: seen + 1))
        every = max(count // limit, 1)
        records = records.enumerate().filter(lambda number, _: number % every == 0).map(lambda _, record: record)
        records = records.take(limit)
    found = list(records.as_numpy_iterator())
    if not found:
        raise UserError("The split holds no records.")
    return found


def data_settings(app: App, model: pathlib.Path, data: str | None, overrides: Sequence[str] = ()) -> Any:
    """The data section that the model was trained with, its source replaced by `data`."""
    values = training_config(app, model)
    if data:
        # Fields, splits and columns belong to the source that they were written for.
        kept = {key: value for key, value in values.get("data", {}).items() if key not in ("splits", "columns")}
        values = {**values, "data": {**kept, "source": data}}
    values = configuration.apply(app, values, overrides)
    return configuration.build(app, values).data


def stream_settings(app: App, model: pathlib.Path, overrides: Sequence[str] = ()) -> Any:
    """The stream section that the model was trained with, overridden."""
    values = configuration.apply(app, training_config(app, model), overrides)
    return getattr(configuration.build(app, values), "stream", None)


def training_config(app: App, model: pathlib.Path) -> dict[str, Any]:
    """The configuration stored with a run, a SavedModel (its model card) or a .tflite (the card beside it)."""
    if (model / "config.yaml").is_file():
        return configuration.plain(Run(app, model).config())
    for card in (model / "assets.extra" / "model_card.json", model.parent / "model_card.json"):
        if card.is_file():
            try:
                content = json.loads(card.read_text(encoding="utf-8"))
                config = content["config"]
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(f"{card} is damaged.") from error
            if config.get("app") != app.name:
                raise UserError(f"{model} is a model of {config.get('app')}, not of {app.name}.")
            return config
    if not model.exists():
        raise UserError(f"There is no model at {model}: give a run folder, a SavedModel folder or a .tflite file.")
    return {}


def summary(app: App, model: Any, split: str, score: Score, count: int) -> dict[str, Any]:
    """What `evaluate --json` prints."""
    found = {"app": app.name, "model": str(model), "split": split, "records": count, "metrics": dict(score.metrics)}
    return {**found, **({"notes": dict(score.notes)} if score.notes else {})}
