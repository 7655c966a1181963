"""Scores of a model on a split of records."""

import dataclasses
import logging
import pathlib
from collections.abc import Sequence
from typing import Any

from rnnsuite.app import App, Score
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.core.fields import Record
from rnnsuite.data.records import collect
from rnnsuite.data.sources import is_built
from rnnsuite.data.splits import WHOLE, path_splits
from rnnsuite.pipeline.inference.card import data_section
from rnnsuite.pipeline.inference.models import find_model, fitted_of, open_model

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A score and what was scored.

    Args:
        score: how good the answers are.
        split: the split whose records were scored; "all" for a source that was scored whole.
        records: how many.
        source: whose records they are.
        note: what else is to be known of them, such as that they were held out of train.
    """

    score: Score
    split: str
    records: int
    source: str = ""
    note: str = ""


def evaluate(
    app: App,
    model: str | pathlib.Path,
    data: str | None = None,
    split: str | None = None,
    overrides: Sequence[str] = (),
) -> Evaluation:
    """Scores a model on one split.

    Args:
        app: the application.
        model: a run, a SavedModel folder or a .tflite file.
        data: a source in place of the one that it was trained with.
        split: train, validation or test. None for test; where the source has none, for what
            training holds out; and for all records of other data without splits.
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
    path = find_model(app, pathlib.Path(model))
    section = data_section(app, path, data, overrides)
    trained_on = data_section(app, path, None).source
    records, chosen, note = _records(app, section, split, is_other=section.source != trained_on)
    serving = [text for text in overrides if text.split(".")[0] in app.serving.sections]
    predictor = open_model(app, path, serving)
    answers = predictor.answer(records)
    score = app.scoring.score(records, answers, fitted_of(app, path))
    if app.scoring.figures:
        plots = {**score.plots, **app.scoring.figures(predictor.answer, records)}
        score = dataclasses.replace(score, plots=plots)
    return Evaluation(score, chosen, len(records), section.source, note)


def _records(
    app: App, section: Any, split: str | None, is_other: bool
) -> tuple[list[Record], str, str]:
    """Records to score, the name of their split, and what is to be known of them."""
    is_whole = not has_splits(app, section)
    if split is None and is_whole and is_other:
        return collect(app.data.load(section, WHOLE)), WHOLE, ""
    try:
        records = collect(app.data.load(section, split or "test"))
        return records, split or "test", _note(split or "test", is_whole, is_other)
    except NoSplit as error:
        if split is not None:
            raise UserError(f"{error} Leave --split out to score what there is.") from error
    log.info("%s has no test split; what training holds out is scored.", section.source)
    records = collect(app.data.load(section, "validation"))
    return records, "validation", _note("validation", is_whole, is_other)


def _note(split: str, is_whole: bool, is_other: bool) -> str:
    if split == "train" and not is_other:
        return "the model was trained on these records"
    if is_whole and split == "validation":
        return "held out of train by a hash"
    if is_whole and split == "train":
        return "all but the records that are held out by a hash"
    return ""


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
        "source": evaluation.source,
        "split": evaluation.split,
        "records": evaluation.records,
        **({"note": evaluation.note} if evaluation.note else {}),
        "metrics": dict(evaluation.score.metrics),
    }
    notes = dict(evaluation.score.notes)
    return {**values, "notes": notes} if notes else values
