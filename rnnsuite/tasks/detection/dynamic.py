"""Thresholds that the scores of a series choose themselves (Hundman et al., KDD 2018, section 3.2,
arXiv 1802.04431), without labels and without a series known to be normal.
"""

import numpy as np

from rnnsuite.data.channels import runs

DEVIATIONS = np.arange(2.5, 12.0, 0.5)
"""Standard deviations above the mean among which a threshold is chosen."""


def dynamic(
    scores: np.ndarray, width: int = 2100, step: int = 70, decrease: float = 0.13, margin: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Which steps are anomalies, window by window.

    Args:
        scores: smoothed errors `[time]`.
        width: steps of a window.
        step: from one window to the next.
        decrease: share by which the largest score of a run must exceed the next smaller run's, or
            the largest normal score, for it and all larger ones to be anomalies.
        margin: steps on both sides of what exceeds the threshold that belong to it.

    Returns:
        Whether each step is an anomaly, and the lowest threshold of the windows that it is in, both
        `[time]`.
    """
    is_anomaly = np.zeros(len(scores), bool)
    thresholds = np.full(len(scores), np.inf)
    last = max(len(scores) - width, 0)
    for begin in sorted({*range(0, last + 1, step), last}):
        part = slice(begin, begin + width)
        threshold = best_threshold(scores[part], margin)
        thresholds[part] = np.minimum(thresholds[part], threshold)
        above = widened(scores[part] > threshold, margin)
        is_anomaly[part] |= pruned(scores[part], above, decrease)
    return is_anomaly, thresholds


def best_threshold(scores: np.ndarray, margin: int) -> float:
    """The one whose exceeding scores make the others' mean and deviation fall most, for the number
    of steps and the square of the number of runs that exceed it; infinite where none helps.
    """
    mean = float(scores.mean())
    deviation = float(scores.std())
    best = (0.0, np.inf)
    for count in DEVIATIONS if mean > 0 and deviation > 0 else ():
        threshold = mean + count * deviation
        below = scores[scores <= threshold]
        above = widened(scores > threshold, margin)
        gaps = runs(above)
        # Where half of a window exceeds it, what exceeds it is no exception.
        if not len(gaps) or not len(below) or above.sum() >= 0.5 * len(scores):
            continue
        fallen = (mean - below.mean()) / mean + (deviation - below.std()) / deviation
        value = fallen / (above.sum() + len(gaps) ** 2)
        if value >= best[0]:
            best = (float(value), float(threshold))
    return best[1]


def pruned(scores: np.ndarray, above: np.ndarray, decrease: float) -> np.ndarray:
    """Of runs of exceeding steps, those that stand out from the others and from what is normal."""
    spans = runs(above)
    if not len(spans):
        return above
    largest = np.array([scores[first : last + 1].max() for first, last in spans])
    order = np.argsort(-largest)
    ordered = np.append(largest[order], scores[~above].max(initial=0.0))
    falls = (ordered[:-1] - ordered[1:]) / np.maximum(ordered[:-1], np.finfo(float).tiny)
    standing = np.flatnonzero(falls > decrease)
    kept = np.zeros_like(above)
    for first, last in spans[order[: standing[-1] + 1 if len(standing) else 0]]:
        kept[first : last + 1] = True
    return kept


def widened(flags: np.ndarray, margin: int) -> np.ndarray:
    """Every run of true flags with so many steps more on both sides."""
    wide = np.zeros_like(flags)
    for first, last in runs(flags):
        wide[max(first - margin, 0) : last + margin + 1] = True
    return wide
