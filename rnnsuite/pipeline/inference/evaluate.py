"""Scores of a model on a split of records."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.app import App, Score
from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect
from rnnsuite.data.sources import is_built
from rnnsuite.data.splits import WHOLE, path_splits
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.models import fitted_of, open_model


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A score and what was scored.

    Args:
        score: how good the answers are.
        split: the split whose records were scored; "all" for a source without splits.
        records: how many.
    """

    score: Score
    split: str
    records: int


def evaluate(
    app: App,
    model: str | pathlib.Path,
    data: str | None = None,
    split: str = "test",
    overrides: Sequence[str] = (),
) -> Evaluation:
    """Scores a model on one split.

    Args:
        app: the application.
        model: a run, a SavedModel folder or a .tflite file.
        data: a source in place of the one that it was trained with; a path without splits of its
            own is scored whole.
        split: train, validation or test.
        overrides: `key=value` of the configuration.

    Returns:
        The score.

    Raises:
        UserError: where records or model are unusable, or the application scores nothing.
    """
    if app.scoring is None:
        raise UserError(f"{app.name} has no scoring: its answers cannot be evaluated.")
    if app.scoring.require:
        app.scoring.require()
    section = data_section(app, pathlib.Path(model), data, overrides)
    if data and not has_splits(app, section):
        split = WHOLE
    records = collect(app.data.load(section, split))
    serving = [text for text in overrides if text.split(".")[0] in app.serving.sections]
    predictor = open_model(app, model, serving)
    score = app.scoring.score(records, predictor.answer(records), fitted_of(app, model))
    if app.scoring.figures:
        plots = {**score.plots, **app.scoring.figures(predictor.answer, records)}
        score = dataclasses.replace(score, plots=plots)
    return Evaluation(score, split, len(records))


def has_splits(app: App, section: Any) -> bool:
    """False for a path that holds one set of records without splits."""
    if is_built(section.source):
        return True
    if app.data.splits:
        return set(app.data.splits(section)) != {WHOLE}
    path = pathlib.Path(section.source).expanduser()
    return path.exists() and WHOLE not in path_splits(path)


def summary(app: App, model: Any, evaluation: Evaluation) -> dict[str, Any]:
    """What `evaluate --json` prints."""
    values = {
        "app": app.name,
        "model": str(model),
        "split": evaluation.split,
        "records": evaluation.records,
        "metrics": dict(evaluation.score.metrics),
    }
    notes = dict(evaluation.score.notes)
    return {**values, "notes": notes} if notes else values
