"""Plots of forecasts for a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .metrics import Forecasts

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def bands(
    forecasts: Forecasts,
    histories: Sequence[np.ndarray],
    names: Sequence[str],
    places: Sequence[int],
) -> Any:
    """Some forecasts with their intervals, over what came to be.

    Args:
        forecasts: all of them.
        histories: what was observed before each.
        names: of each.
        places: which are drawn.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6 * len(places)), layout="constrained")
    for axes, place in zip(np.atleast_1d(figure.subplots(len(places))), places, strict=True):
        horizon = np.arange(forecasts.truth.shape[1])
        before = np.asarray(histories[place])
        axes.plot(np.arange(-len(before), 0), before, color="0.4", linewidth=1)
        axes.plot(horizon, forecasts.truth[place], color="black", linewidth=1, label="observed")
        axes.plot(horizon, forecasts.mean[place], color="C0", linewidth=1.5, label="mean")
        for coverage in reversed(forecasts.coverages()):
            low, high = (bound[place] for bound in forecasts.interval(coverage))
            label = f"{100 * coverage:g} %"
            axes.fill_between(horizon, low, high, color="C0", alpha=0.18, linewidth=0, label=label)
        axes.set_title(names[place], fontsize=9)
        axes.legend(fontsize=7, loc="upper left")
    return figure


def by_step(rows: Sequence[dict[str, float]]) -> Any:
    """Mean absolute error and quantile loss at each step of the horizon."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    steps = [row["step"] for row in rows]
    for name in ("mae", "rmse"):
        axes.plot(steps, [row[name] for row in rows], label=name)
    axes.set(xlabel="step of the horizon", ylabel="error", ylim=(0, None))
    axes.legend()
    return figure


def residuals(forecasts: Forecasts, times: np.ndarray) -> Any:
    """Errors of the mean by hour of the day and by day of the week: half of them lie in a box.

    Args:
        forecasts: all of them.
        times: of every step, seconds since 1970 `[forecasts, horizon]`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    error = (forecasts.truth - forecasts.mean).reshape(-1)
    observed = ~np.isnan(error)
    # 1970 began on a Thursday.
    groups = {"hour": times // 3600 % 24, "weekday": (times // 86_400 + 3) % 7}
    for axes, (name, group) in zip(figure.subplots(1, 2), groups.items(), strict=True):
        group = group.reshape(-1)
        values = sorted(set(group))
        parts = [error[observed & (group == value)] for value in values]
        labels = [WEEKDAYS[value] if name == "weekday" else str(value) for value in values]
        axes.boxplot(parts, showfliers=False)
        axes.set_xticks(range(1, len(values) + 1), labels, fontsize=7)
        axes.axhline(0, color="0.7", linewidth=1)
        axes.set(xlabel=name, ylabel="observed - mean")
    return figure


def calibration(forecasts: Forecasts) -> Any:
    """The share of observations below each quantile, beside the level that it claims."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    observed = ~np.isnan(forecasts.truth)
    below = forecasts.truth[..., None] <= forecasts.quantiles
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(forecasts.levels, below[observed].mean(axis=0), marker="o")
    axes.set(xlabel="level", ylabel="observations below", xlim=(0, 1), ylim=(0, 1))
    return figure
