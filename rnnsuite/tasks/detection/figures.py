"""Plots of series, scores and events."""

from collections.abc import Sequence

import numpy as np

from rnnsuite.device.events import Event

DRAWN = 4000
"""Points of a line at most."""


def series(
    values: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    found: Sequence[Event],
    truth: Sequence[Event],
    begin: int = 0,
    label: str = "score, nats",
):
    """A series, its scores and threshold, and where true and found events are.

    Args:
        values: `[time, channels]`.
        scores: `[time]`.
        threshold: from which on a score is an anomaly.
        found, truth: events, in steps of these arrays.
        begin: number of the first step.
        label: of the scores' axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    steps = np.arange(len(scores))
    stride = -(-len(steps) // DRAWN)
    for column in values.T[:8]:
        above.plot(begin + steps[::stride], column[::stride], lw=0.7)
    for event in truth:
        above.axvspan(begin + event.start, begin + event.end + 1, color="tab:red", alpha=0.25, lw=0)
    highest = scores[: len(scores) // stride * stride].reshape(-1, stride).max(axis=1)
    below.plot(begin + steps[::stride][: len(highest)], highest, lw=0.8, color="black")
    below.axhline(threshold, color="grey", ls="--", lw=0.8)
    for event in found:
        below.axvspan(
            begin + event.start, begin + event.end + 1, color="tab:orange", alpha=0.4, lw=0
        )
    above.set(ylabel="values")
    above.set_title("red: labelled, orange: found", fontsize="small")
    below.set(xlabel="observation", ylabel=label)
    return figure


def precision_recall(scores: np.ndarray, labels: np.ndarray):
    """Precision against recall of single steps, at every threshold."""
    from matplotlib.figure import Figure
    from sklearn.metrics import precision_recall_curve

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    if labels.any():
        precision, recall, _ = precision_recall_curve(labels, scores)
        axes.plot(recall, precision, drawstyle="steps-post")
    axes.axhline(labels.mean(), color="grey", ls="--", lw=0.8, label="chance")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return figure


def delays(values: Sequence[float], unit: str = "observations"):
    """The share of found events that were found by then."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    rising = np.sort(np.maximum(values, 0)) if len(values) else np.zeros(1)
    axes.step(rising, np.arange(1, len(rising) + 1) / len(rising), where="post")
    axes.set(xlabel=f"delay, {unit}", ylabel="share of found events", ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    return figure
