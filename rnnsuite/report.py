"""report.html: what a run did, to look at rather than read."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from matplotlib.figure import Figure

from rnnsuite.app import Score
from rnnsuite.config import dump
from rnnsuite.files import explained, write_text
from rnnsuite.run import TIMES, Run

CASES = 20

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c2530 }
h1, h2 { font-weight: 600 } h2 { margin-top: 2.2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .7rem; vertical-align: top }
tr { border-bottom: 1px solid #dde3ea } td.number { font-variant-numeric: tabular-nums; white-space: nowrap }
.figures { display: flex; flex-wrap: wrap; gap: 1rem } .figures img { max-width: 100% }
pre { background: #f4f6f9; padding: 1rem; overflow: auto } .wrong { color: #a4262c } .right { color: #1b7a3d }
</style></head><body>
<h1>{{ title }}</h1>
<table><tr>{% for name in metrics %}<th>{{ name }}</th>{% endfor %}</tr>
<tr>{% for value in metrics.values() %}<td class="number">{{ value }}</td>{% endfor %}</tr></table>
<h2>Training</h2>
<div class="figures">{% for name, image in curves.items() %}
<img alt="{{ name }}" src="data:image/png;base64,{{ image }}">{% endfor %}</div>
{% if health %}<h2>Gradient health</h2>
{% for warning in warnings %}<p class="wrong">{{ warning }}</p>{% else %}
<p class="right">No gradient vanishes, explodes or is clipped most of the time.</p>{% endfor %}
<div class="figures">{% for name, image in health.items() %}
<img alt="{{ name }}" src="data:image/png;base64,{{ image }}">{% endfor %}</div>{% endif %}
<h2>Answers on the {{ split }} split ({{ count }} records)</h2>
<table>{% for name, value in scores.items() %}<tr><th>{{ name }}</th><td class="number">{{ value }}</td>
<td>{{ notes.get(name, "") }}</td></tr>
{% endfor %}</table>
<div class="figures">{% for name, image in plots.items() %}
<figure><figcaption>{{ name }}</figcaption>
<img alt="{{ name }}" src="data:image/png;base64,{{ image }}"></figure>{% endfor %}</div>
{% for kind, title, cases in cases if cases %}
<h2 class="{{ kind }}">{{ title }}</h2>
<table><tr>{% for name in cases[0] %}<th>{{ name }}</th>{% endfor %}</tr>
{% for case in cases %}<tr>{% for value in case.values() %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}
<h2>Configuration</h2><pre>{{ config }}</pre>
</body></html>
"""


def write(run: Run, score: Score, split: str, count: int) -> None:
    """Writes RUN/report.html with the run's curves and the scored answers on `split`."""
    history, health = run.history(), run.health()
    page = jinja2.Environment(autoescape=True).from_string(_PAGE)
    text = page.render(
        title=f"{run.app.name}: {run.folder.name}",
        metrics=rounded(run.metrics()),
        curves={name: _png(figure) for name, figure in _curves(history).items()} if history else {},
        health={name: _png(figure) for name, figure in _health(health).items()} if health else {},
        warnings=health[-1]["warnings"] if health else [],
        split=split,
        count=count,
        scores=rounded(score.metrics),
        plots={name: _png(draw()) for name, draw in score.plots.items()},
        notes=score.notes,
        cases=[
            (kind, title, found[:CASES])
            for kind, title, found in zip(("wrong", "right"), score.titles, (score.wrong, score.right), strict=True)
        ],
        config=dump(run.config()),
    )
    with explained(run.folder):
        write_text(run.folder / "report.html", text)


def rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers with four digits behind the point, for people."""
    return {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in values.items()}


def _curves(history: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    epochs = [row["epoch"] for row in history]
    figures = {}
    for name in history[0]:
        if name in ("epoch", *TIMES) or name.startswith("val_"):
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
    """The last epoch's gradient at every step, and every epoch's gradients and updates of each layer."""
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
        ("update over weight, first step of each epoch", lambda row, path: row["updates"].get(path, float("nan"))),
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
