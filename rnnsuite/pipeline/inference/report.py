"""report.html: what a run or a search did, to look at rather than read."""

import datetime
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from rnnsuite.app import App, Score
from rnnsuite.core.files import as_user_error, write_text
from rnnsuite.pipeline.config import Config, dump
from rnnsuite.pipeline.inference import figures
from rnnsuite.pipeline.inference.evaluate import Evaluation
from rnnsuite.pipeline.run import Run

CASES = 20
"""Right and wrong cases that are shown, at most."""
PAGE = pathlib.Path(__file__).with_name("report.html")


def write(run: Run, evaluation: Evaluation | None) -> None:
    """Writes RUN/report.html: the run's curves and, where there is one, an evaluation."""
    score = evaluation.score if evaluation else Score({})
    history = run.history()
    health = run.health()
    config = run.config()
    values = {
        "title": f"{run.app.name}: {run.folder.name}",
        "summary": rounded(run.metrics()),
        "main": {config.train.monitor},
        "facts": facts(run),
        "curves": figures.images(figures.curves(history)) if history else {},
        "health": figures.images(figures.health(health)) if health else {},
        "warnings": health[-1]["warnings"] if health else [],
        "evaluation": evaluation,
        "scores": rounded(score.metrics),
        "floor": rounded(evaluation.floor) if evaluation else {},
        "tables": {name: [rounded(row) for row in rows] for name, rows in score.tables.items()},
        "plots": {name: figures.png(draw()) for name, draw in score.plots.items()},
        "notes": score.notes,
        "cases": [
            ("wrong", score.titles[0], score.wrong[:CASES]),
            ("right", score.titles[1], score.right[:CASES]),
        ],
        "config": dump(config),
    }
    _write(run.folder, values)


def write_search(app: App, config: Config, folder: pathlib.Path, record: Mapping[str, Any]) -> None:
    """Writes SEARCH/report.html: the best so far, the trials, and what the settings matter.

    Args:
        app: the application.
        config: of the search.
        folder: of the search.
        record: see `rnnsuite.pipeline.tune.record`.
    """
    objective = config.tune.objective
    table = record["trials"]
    ordered = [row[objective] for row in sorted(table, key=lambda row: int(row["trial"]))]
    drawn = {"best so far": figures.best_so_far(ordered, record["direction"], objective)}
    if record["importance"]:
        drawn["importance"] = figures.shares(record["importance"], "share of the importance")
    drawn |= figures.trials(table, objective, config.tune.space)
    elsewhere = ("trials", "importance", "found")
    values = {
        "title": f"{app.name}: search in {folder.name}",
        "summary": rounded({"trials": len(table), **table[0]}),
        "main": {objective},
        "facts": rounded({key: value for key, value in record.items() if key not in elsewhere}),
        "rows": [rounded(row) for row in table],
        "headings": ("Trials, the best first", "Search"),
        "curves": figures.images(drawn),
        "config": dump(config),
    }
    _write(folder, values)


def write_comparison(rows: Sequence[Mapping[str, Any]], path: pathlib.Path) -> None:
    """Writes a page with the curves and scores of several runs side by side.

    Args:
        rows: of the runs, as `rnnsuite.pipeline.overview.compared` gives them.
        path: of the page.
    """
    names = run_names(rows)
    histories = {name: row["history"] for name, row in zip(names, rows, strict=True)}
    values = {
        "title": f"{rows[0]['app']}: {len(rows)} runs",
        "rows": table(rows),
        "headings": ("Runs", "Curves"),
        "curves": figures.images(figures.side_by_side(histories)),
    }
    _write_page(path, values)


def run_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The runs' names: of their folders, or their whole paths where these are not enough."""
    names = [pathlib.PurePath(row["run"]).name for row in rows]
    return names if len(set(names)) == len(names) else [row["run"] for row in rows]


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line for each score and for each setting that differs, a column for each run."""
    names = run_names(rows)
    lines = []
    for title, values in (
        ("state", [row["state"] for row in rows]),
        ("epochs", [row["epochs"] for row in rows]),
        *_by_key(rows, "scores"),
        *_by_key(rows, "settings"),
    ):
        cells = [_rounded(value) for value in values]
        lines.append({"": title, **dict(zip(names, cells, strict=True))})
    return lines


def _by_key(rows: Sequence[Mapping[str, Any]], part: str) -> list[tuple[str, list[Any]]]:
    keys = dict.fromkeys(key for row in rows for key in row[part])
    return [(key, [row[part].get(key, "") for row in rows]) for key in keys]


def _write(folder: pathlib.Path, values: Mapping[str, Any]) -> None:
    _write_page(folder / "report.html", values)


def _write_page(path: pathlib.Path, values: Mapping[str, Any]) -> None:
    page = jinja2.Environment(autoescape=True).from_string(PAGE.read_text(encoding="utf-8"))
    with as_user_error(path.parent):
        write_text(path, page.render(values))


def facts(run: Run) -> dict[str, str]:
    """When, how long, by which command and on which data a run was trained."""
    data = run.data()
    found = {}
    if "begun" in data:
        found["begun"] = data["begun"]
    seconds = sum(row.get("seconds", 0.0) for row in run.history())
    found["time in epochs"] = str(datetime.timedelta(seconds=round(seconds)))
    if "command" in data:
        found["command"] = data["command"]
    found["data"] = run.config().data.source
    for name, split in data.get("splits", {}).items():
        classes = ", ".join(f"{label} {count}" for label, count in split["classes"].items())
        lengths = split["lengths"]
        found[name] = (
            f"{split['examples']} examples of length {lengths['shortest']:.0f} to "
            f"{lengths['longest']:.0f}, half up to {lengths['median']:.0f}"
            f"{f'; {classes}' if classes else ''}"
        )
    if data.get("skipped"):
        found["left out"] = f"{data['skipped']} bad records; see skipped.txt"
    return found


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers with four digits behind the point, or small ones as powers of ten, for people."""
    return {name: _rounded(value) for name, value in values.items()}


def _rounded(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.1e}"
