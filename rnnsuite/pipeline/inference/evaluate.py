"""Scores of a model on a split of records."""

import contextlib
import dataclasses
import hashlib
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite.app import App, Asked, Score
from rnnsuite.core.cache import cache_folder
from rnnsuite.core.errors import NoSplit, UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.files import read_json, write_json
from rnnsuite.data.fingerprint import fingerprint
from rnnsuite.data.records import collect
from rnnsuite.data.sources import is_built
from rnnsuite.data.splits import WHOLE, path_splits
from rnnsuite.pipeline.inference.card import data_section, training_config
from rnnsuite.pipeline.inference.intervals import intervals
from rnnsuite.pipeline.inference.models import find_model, fitted_of, open_model
from rnnsuite.pipeline.run import Run

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
        floor: metrics of a cheap model on the same records; empty without one.
        intervals: [low, high] of every metric, 95 % of drawn sets of records; empty if not asked.
    """

    score: Score
    split: str
    records: int
    source: str = ""
    note: str = ""
    floor: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    intervals: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)


def evaluate(
    app: App,
    model: str | pathlib.Path,
    data: str | None = None,
    split: str | None = None,
    overrides: Sequence[str] = (),
    bootstrap: int = 0,
) -> Evaluation:
    """Scores a model on one split.

    Args:
        app: the application.
        model: a run, a SavedModel folder or a .tflite file.
        data: a source in place of the one that it was trained with.
        split: train, validation or test. None for test; where the source has none, for what
            training holds out; and for all records of other data without splits.
        overrides: `key=value` of the configuration.
        bootstrap: sets of records that are drawn for intervals; 0 for no intervals.

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
    fitted = fitted_of(app, path)
    subject = Asked(
        ask=predictor.answer,
        signatures=tuple(predictor.signatures),
        config=training_config(app, path, serving),
        fitted=fitted,
        trained=Run(app, path).trained if predictor.kind == "run" else None,
    )
    ask_all = app.scoring.answers
    answers = ask_all(subject, records) if ask_all else predictor.answer(records)
    score_of = app.scoring.score
    score = score_of(records, answers, fitted)
    sure = {}
    if bootstrap:
        sure = intervals(
            records,
            answers,
            lambda r, a: score_of(r, a, fitted),
            bootstrap,
            diversity=app.scoring.diversity,
        )
    if app.scoring.tables:
        tables = {**score.tables, **app.scoring.tables(subject, records)}
        score = dataclasses.replace(score, tables=tables)
    if app.scoring.figures:
        plots = {**score.plots, **app.scoring.figures(predictor.answer, records)}
        score = dataclasses.replace(score, plots=plots)
    floor = {} if chosen == WHOLE else _floor(app, section, fitted, records)
    return Evaluation(score, chosen, len(records), section.source, note, floor, sure)


def _floor(app: App, section: Any, fitted: Any, records: Sequence[Record]) -> Mapping[str, Any]:
    """What a cheap model of the source's own train reaches, which is kept on this machine."""
    scoring = app.scoring
    if scoring is None or scoring.floor is None:
        return {}
    texts = [repr(sorted(record.items())) for record in records]
    parts = [repr(section), repr(sorted(fingerprint(section.source).items())), repr(fitted), *texts]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    path = cache_folder() / "floors" / f"{app.name}-{digest}.json"
    if path.is_file():
        return read_json(path)
    log.info("Learning the cheap model that stands beside ...")
    try:
        floor = dict(scoring.floor(section, fitted, records))
    except UserError as error:
        log.warning("No cheap model stands beside: %s", error)
        return {}
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, floor)
    return floor


def _records(
    app: App, section: Any, split: str | None, is_other: bool
) -> tuple[list[Record], str, str]:
    """Records to score, the name of their split, and what is to be known of them."""
    is_whole = not has_splits(app, section)
    if split is None and is_whole and is_other:
        return collect(app.data.load(section, WHOLE)), WHOLE, ""
    try:
        records = collect(app.data.load(section, split or "test"))
        return records, split or "test", _note(app, split or "test", is_whole, is_other)
    except NoSplit as error:
        if split is not None:
            raise UserError(f"{error} Leave --split out to score what there is.") from error
    log.info("%s has no test split; what training holds out is scored.", section.source)
    records = collect(app.data.load(section, "validation"))
    return records, "validation", _note(app, "validation", is_whole, is_other)


def _note(app: App, split: str, is_whole: bool, is_other: bool) -> str:
    by_what = "by a hash" if app.data.order == "shuffled" else "at its end"
    if split == "train" and not is_other:
        return "the model was trained on these records"
    if is_whole and split == "validation":
        return f"held out of train {by_what}"
    if is_whole and split == "train":
        return f"all but the records that are held out {by_what}"
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
        **({"primary": app.scoring.primary} if app.scoring else {}),
        "metrics": {**evaluation.score.metrics, **evaluation.score.neutral},
        **({"interval": dict(evaluation.intervals)} if evaluation.intervals else {}),
        **({"floor": dict(evaluation.floor)} if evaluation.floor else {}),
    }
    notes = dict(evaluation.score.notes)
    return {**values, "notes": notes} if notes else values
