"""report.html: what a run did, to look at rather than read."""

import base64
import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from matplotlib.figure import Figure

from rnnsuite.app import Score
from rnnsuite.core.files import as_user_error, write_text
from rnnsuite.pipeline.config import dump
from rnnsuite.pipeline.inference.evaluate import Evaluation
from rnnsuite.pipeline.run import TIMING_COLUMNS, Run

CASES = 20

PAGE = pathlib.Path(__file__).with_name("report.html")


def write(run: Run, evaluation: Evaluation | None) -> None:
    """Writes RUN/report.html: the run's curves and, where there is one, an evaluation."""
    score = evaluation.score if evaluation else Score({})
    history = run.history()
    health = run.health()
    page = jinja2.Environment(autoescape=True).from_string(PAGE.read_text(encoding="utf-8"))
    text = page.render(
        title=f"{run.app.name}: {run.folder.name}",
        metrics=rounded(run.metrics()),
        curves=_images(_curves(history)) if history else {},
        health=_images(_health(health)) if health else {},
        warnings=health[-1]["warnings"] if health else [],
        evaluation=evaluation,
        scores=rounded(score.metrics),
        plots={name: _png(draw()) for name, draw in score.plots.items()},
        notes=score.notes,
        cases=[
            ("wrong", score.titles[0], score.wrong[:CASES]),
            ("right", score.titles[1], score.right[:CASES]),
        ],
        config=dump(run.config()),
    )
    with as_user_error(run.folder):
        write_text(run.folder / "report.html", text)


def _images(figures: Mapping[str, Figure]) -> dict[str, str]:
    return {name: _png(figure) for name, figure in figures.items()}


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers with four digits behind the point, for people."""
    return {
        name: f"{value:.4f}" if isinstance(value, float) else value
        for name, value in values.items()
    }


def _curves(history: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    epochs = [row["epoch"] for row in history]
    figures = {}
    for name in history[0]:
        if name in ("epoch", *TIMING_COLUMNS) or name.startswith("val_"):
            continue
        figure = figures[name] = Figure(figsize=(5, 3), layout="constrained")
        axes = figure.subplots()
        for key, label in ((name, "train"), (f"val_{name}", "validation")):
            if key in history[0]:
                axes.plot(epochs, [row[key] for row in history], marker=".", label=label)
        axes.set(xlabel="epoch", ylabel=name)
        if f"val_{name}" in history[0]:
            axes.legend()
        axes.grid(alpha=0.3)
    return figures


def _health(rows: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """The last epoch's gradient at every step, and every epoch's gradients and updates of each
    layer.
    """
    figures = {}
    if rows[-1]["states"]:
        name = "gradient of the loss with respect to the state"
        figure = figures[name] = Figure(figsize=(7, 3.4), layout="constrained")
        axes = figure.subplots()
        for path, norms in rows[-1]["states"].items():
            axes.semilogy(range(1, len(norms) + 1), norms, label=path)
        axes.set(xlabel="step, in the order of running", ylabel="norm", title=name)
        axes.legend(fontsize="small")
        axes.grid(alpha=0.3)
    epochs = range(1, len(rows) + 1)
    for name, value in (
        ("gradient norm of each layer", lambda row, path: row["layers"][path]["gradient"]),
        (
            "update over weight, first step of each epoch",
            lambda row, path: row["updates"].get(path, float("nan")),
        ),
    ):
        figure = figures[name] = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        for path in rows[-1]["layers"]:
            axes.semilogy(epochs, [value(row, path) for row in rows], marker=".", label=path)
        axes.set(xlabel="epoch", title=name)
        axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
        axes.grid(alpha=0.3)
    return figures


def _png(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    return base64.b64encode(stream.getvalue()).decode()
