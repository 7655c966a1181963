"""What a search was and found, on a page that goes with the model that came of it."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import App
from rnnsuite.core.files import as_user_error, write_json, write_text
from rnnsuite.core.nested import get
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config, check_metric
from rnnsuite.pipeline.export.card import from_here
from rnnsuite.pipeline.inference import report
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.settings import Range
from rnnsuite.pipeline.tune.results import trial_folder

BEST = 5
"""Trials that the page names."""
ENOUGH = 8
"""Trials from which on it is told what the settings matter."""
TREES = 200


def write_record(
    app: App,
    config: Config,
    folder: pathlib.Path,
    table: Sequence[Mapping[str, Any]],
    seconds: float,
) -> None:
    """Writes record.json, record.md and report.html into the folder of a search.

    Args:
        app: the application.
        config: of the search.
        folder: of the search.
        table: a row for each trial that ended well, best first; see `results.trial_table`.
        seconds: that it took, in all sittings.
    """
    settings = config.tune
    best = Run(app, trial_folder(folder, table[0]["trial"]))
    record = {
        "app": app.name,
        "data": from_here(config.data.source),
        "licence": config.data.licence,
        "splits": {
            name: split["examples"]
            for name, split in best.data().get("splits", {}).items()
            if "examples" in split
        },
        "algorithm": settings.algorithm,
        "objective": settings.objective,
        "direction": check_metric(app, settings.objective, "tune.objective"),
        "stopping": settings.stopping,
        "share of the training examples": settings.share,
        "seed": config.seed,
        "budget in hours": settings.hours or "none",
        "hours": round(seconds / 3600, 2),
        "trials that ended early": sum(row["epochs"] < _epochs(config, row) for row in table),
        "by hand": _by_hand(config, table),
        "found": {key: table[0][key] for key in settings.space},
        "importance": importance(table, settings.objective, settings.space),
        "trials": list(table),
    }
    with as_user_error(folder):
        write_json(folder / "record.json", record)
        write_text(folder / "record.md", _page(record, settings.objective))
    report.write_search(app, config, folder, record)


def _epochs(config: Config, row: Mapping[str, Any]) -> int:
    """That a trial would have had."""
    return row.get("train.epochs", config.train.epochs)


def _by_hand(config: Config, table: Sequence[Mapping[str, Any]]) -> float | None:
    """What the configuration's own settings reached; None where they were not tried."""
    plain = configuration.plain(config)
    own = {key: get(plain, key) for key in config.tune.space}
    for row in table:
        if all(row[key] == value for key, value in own.items()):
            return row[config.tune.objective]
    return None


def importance(
    table: Sequence[Mapping[str, Any]], objective: str, space: Mapping[str, Range]
) -> dict[str, float]:
    """What each setting matters for the objective: shares that sum to 1.

    By how much worse a random forest over the trials predicts when the setting's values are
    shuffled among them (Breiman 2001, section 10).

    Args:
        table: a row for each trial.
        objective: a column of it.
        space: what was searched.

    Returns:
        Shares by key; empty for fewer than `ENOUGH` trials, or where nothing mattered.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    if len(table) < ENOUGH:
        return {}
    columns = [
        [np.log(row[key]) if dimension.log else _number(row[key], dimension) for row in table]
        for key, dimension in space.items()
    ]
    reached = np.array([row[objective] for row in table])
    features = np.array(columns, float).T
    forest = RandomForestRegressor(TREES, random_state=0).fit(features, reached)
    measured: Any = permutation_importance(forest, features, reached, n_repeats=10, random_state=0)
    worth = np.maximum(measured.importances_mean, 0)
    total = worth.sum()
    if not total > 0:
        return {}
    return {key: round(float(value / total), 3) for key, value in zip(space, worth, strict=True)}


def _number(value: Any, dimension: Range) -> float:
    """A chosen value by its place among the choices."""
    return float(dimension.choice.index(value)) if dimension.choice else float(value)


def _page(record: Mapping[str, Any], objective: str) -> str:
    """The record in Markdown."""
    apart = ("found", "importance", "trials", "app", "by hand")
    facts = "".join(f"| {key} | {value} |\n" for key, value in record.items() if key not in apart)
    best = record["trials"][:BEST]
    heading = "| " + " | ".join(best[0]) + " |\n" + "|---" * len(best[0]) + "|\n"
    rows = "".join("| " + " | ".join(map(_short, row.values())) + " |\n" for row in best)
    importances = sorted(record["importance"].items(), key=lambda item: -item[1])
    matters = "".join(f"| {key} | {value:.2f} |\n" for key, value in importances)
    return (
        f"# The search behind {record['app']}\n\n"
        f"{_verdict(record, objective)}\n\n"
        f"| | |\n|---|---|\n{facts}\n"
        f"## The best {len(best)} of {len(record['trials'])} trials\n\n{heading}{rows}\n"
        + (f"## What mattered\n\n| setting | share |\n|---|---|\n{matters}\n" if matters else "")
        + "All trials and their plots are in report.html, the settings that were found in "
        "best.yaml.\n"
    )


def _verdict(record: Mapping[str, Any], objective: str) -> str:
    best = record["trials"][0][objective]
    by_hand = record["by hand"]
    if by_hand is None:
        return f"{objective} {_short(best)}; settings chosen by hand were not tried."
    if by_hand == best:
        return f"{objective} {_short(best)}: no trial was better than the settings by hand."
    return f"{objective} {_short(best)}, with the settings by hand {_short(by_hand)}."


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
