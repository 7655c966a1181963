"""Figures of a report: curves over epochs, gradient health, trials of a search."""

import base64
import io
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnnsuite.pipeline.run import TIMING_COLUMNS

WIDTH = 9.0
"""Inches of a figure with many lines."""
LEGEND_COLUMNS = 2


def images(figures: Mapping[str, Figure]) -> dict[str, str]:
    """Figures as PNG files in base64, by name."""
    return {name: png(figure) for name, figure in figures.items()}


def png(figure: Figure) -> str:
    """A figure as a PNG file in base64, as large as its labels need."""
    stream = io.BytesIO()
    # Constrained layout has room for all but a legend that is wider than the figure; to look for
    # that takes a second drawing.
    bounds = "tight" if figure.legends else None
    figure.savefig(stream, format="png", dpi=100, bbox_inches=bounds)
    return base64.b64encode(stream.getvalue()).decode()


def curves(history: Sequence[Mapping[str, float]]) -> dict[str, Figure]:
    """Every metric over the epochs, of train and of validation where it has both.

    Args:
        history: a row for each epoch.

    Returns:
        Figures by the metric's name; those that only validation has, too.
    """
    names = [name for name in history[0] if name not in ("epoch", *TIMING_COLUMNS)]
    bases = dict.fromkeys(name.removeprefix("val_") for name in names)
    figures = {}
    for base in bases:
        lines = {
            label: [row[key] for row in history]
            for label, key in (("train", base), ("validation", f"val_{base}"))
            if key in names
        }
        figures[base] = _over_epochs(base, lines, (5, 3))
    return figures


def side_by_side(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Figure]:
    """Every metric over the epochs, a line for each run.

    Args:
        histories: of each run by its name: a row for each epoch.

    Returns:
        Figures by the metric's name, those of validation first.
    """
    skipped = ("epoch", *TIMING_COLUMNS)
    rows = [row for history in histories.values() for row in history]
    names = dict.fromkeys(name for row in rows for name in row if name not in skipped)
    figures = {}
    for name in sorted(names, key=lambda name: not name.startswith("val_")):
        lines = {
            run: [row.get(name, math.nan) for row in history]
            for run, history in histories.items()
            if any(name in row for row in history)
        }
        figures[name] = _over_epochs(name, lines, (6, 3.6))
    return figures


def health(rows: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """The last epoch's gradient at every step, and every epoch's of each layer.

    Args:
        rows: what `rnnsuite.pipeline.train.health` measured, one an epoch.

    Returns:
        Figures by title.
    """
    figures = {}
    if rows[-1]["states"]:
        name = "gradient of the loss with respect to the state"
        figure = figures[name] = _figure(len(rows[-1]["states"]))
        axes = figure.subplots()
        for path, norms in rows[-1]["states"].items():
            axes.plot(range(1, len(norms) + 1), norms, label=path)
        _finish(figure, axes, "step, in the order of running", "norm", name)
    paths = list(rows[-1]["layers"])
    for name, value in (
        ("gradient norm of each layer", lambda row, path: _gradient(row, path)),
        ("update over weight, first step of each epoch", lambda row, path: _update(row, path)),
    ):
        lines = {path: [value(row, path) for row in rows] for path in paths}
        known = {path: line for path, line in lines.items() if any(map(math.isfinite, line))}
        if known:
            figures[name] = _over_epochs(name, known, None)
    return figures


def _gradient(row: Mapping[str, Any], path: str) -> float:
    return row["layers"].get(path, {}).get("gradient", math.nan)


def _update(row: Mapping[str, Any], path: str) -> float:
    return row["updates"].get(path, math.nan)


def best_so_far(values: Sequence[float], direction: str, objective: str) -> Figure:
    """The objective of each trial, in their order, and the best one up to it.

    Args:
        values: of the trials.
        direction: "min" or "max".
        objective: the metric's name.

    Returns:
        The figure.
    """
    best = itertools.accumulate(values, min if direction == "min" else max)
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    numbers = range(1, len(values) + 1)
    axes.plot(numbers, values, "o", label="trial")
    axes.step(numbers, list(best), where="post", label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set(xlabel="trial", ylabel=objective)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def shares(values: Mapping[str, float], title: str) -> Figure:
    """A bar for each name, the largest at the top."""
    figure = Figure(figsize=(6, 1 + 0.35 * len(values)), layout="constrained")
    axes = figure.subplots()
    ordered = sorted(values.items(), key=lambda item: item[1])
    axes.barh([name for name, _ in ordered], [value for _, value in ordered])
    axes.set(xlabel=title)
    axes.grid(alpha=0.3, axis="x")
    return figure


def trials(
    rows: Sequence[Mapping[str, Any]], objective: str, settings: Iterable[str]
) -> dict[str, Figure]:
    """The objective over every searched setting.

    Args:
        rows: of the trials, with the objective and the settings.
        objective: the metric that the search improves.
        settings: their names.

    Returns:
        Figures by setting.
    """
    figures = {}
    for key in settings:
        values = [row[key] for row in rows]
        is_number = all(isinstance(value, int | float) for value in values)
        figure = figures[key] = Figure(figsize=(4, 3), layout="constrained")
        axes = figure.subplots()
        axes.plot(
            values if is_number else list(map(str, values)), [row[objective] for row in rows], "o"
        )
        if is_number and min(values) > 0 and max(values) > 20 * min(values):
            axes.set_xscale("log")
        axes.set(xlabel=key, ylabel=objective)
        axes.grid(alpha=0.3)
    return figures


def _figure(labels: int) -> Figure:
    """A figure with room below for a legend of so many labels."""
    height = 3.0 + 0.25 * math.ceil(labels / LEGEND_COLUMNS)
    return Figure(figsize=(WIDTH, height), layout="constrained")


def _over_epochs(
    name: str, lines: Mapping[str, Sequence[float]], size: tuple[float, float] | None
) -> Figure:
    figure = Figure(figsize=size, layout="constrained") if size else _figure(len(lines))
    axes = figure.subplots()
    for label, values in lines.items():
        axes.plot(range(1, len(values) + 1), values, marker=".", label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max(map(len, lines.values())) + 0.5)
    if size is None:
        _finish(figure, axes, "epoch", "", name)
        return figure
    axes.set(xlabel="epoch", ylabel=name)
    if len(lines) > 1:
        axes.legend()
    axes.grid(alpha=0.3)
    return figure


def _finish(figure: Figure, axes: Any, x: str, y: str, title: str) -> None:
    values = [value for line in axes.get_lines() for value in line.get_ydata()]
    if any(value > 0 for value in values):
        axes.set_yscale("log")
    axes.set(xlabel=x, ylabel=y, title=title)
    figure.legend(loc="outside lower left", fontsize="small", ncols=LEGEND_COLUMNS)
    axes.grid(alpha=0.3)
