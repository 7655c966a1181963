"""How well scores at every step find labelled ranges, whatever the threshold."""

import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from rnnsuite.data.channels import runs

THRESHOLDS = 250
"""At which precision and recall of ranges are computed, as the authors do."""


def labels_of(ranges: Sequence[tuple[int, int]], length: int) -> np.ndarray:
    """Whether each step is in a range `[length]`; ranges are first and last steps."""
    flags = np.zeros(length, bool)
    for first, last in ranges:
        flags[max(first, 0) : last + 1] = True
    return flags


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """The area under precision and recall of single steps (AUC-PR), NaN without both classes.

    Args:
        scores: `[time]`.
        labels: `[time]`, whether each step is anomalous.
    """
    if labels.all() or not labels.any():
        return float("nan")
    return float(average_precision_score(labels, scores))


def volume_under_surface(scores: np.ndarray, labels: np.ndarray, longest: int) -> float:
    """VUS-PR: the area under precision and recall of ranges, averaged over how far a range's
    surroundings count (Paparrizos et al., VLDB 2022, doi 10.14778/3551793.3551830).

    Args:
        scores: `[time]`.
        labels: `[time]`, whether each step is anomalous.
        longest: steps of the widest surroundings; all from 0 on are averaged over.

    Returns:
        Between 0 and 1; NaN without both classes.
    """
    if labels.all() or not labels.any():
        return float("nan")
    ordered = np.sort(scores)[::-1]
    places = np.linspace(0, len(scores) - 1, THRESHOLDS).astype(int)
    flags = scores[None] >= ordered[places][:, None]
    areas = [_range_area(flags, labels, width) for width in range(longest + 1)]
    return float(np.mean(areas))


def _range_area(flags: np.ndarray, labels: np.ndarray, width: int) -> float:
    """The area at one width; flags are `[thresholds, time]`, from the highest threshold down."""
    soft = softened(labels, width)
    hits = flags @ soft
    # Of a range's surroundings, what is flagged counts half among what there is to find.
    positives = labels.sum() + (flags @ (soft * ~labels)) / 2
    touched = [flags[:, first : last + 1].any(axis=1) for first, last in runs(soft > 0)]
    recall = np.minimum(hits / positives, 1.0) * np.mean(touched, axis=0)
    precision = hits / flags.sum(axis=1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def softened(labels: np.ndarray, width: int) -> np.ndarray:
    """Labels that fall off on both sides of a range, to the square root of what is left of a width,
    over half of it.
    """
    soft = labels.astype(np.float64)
    half = width // 2
    for first, last in runs(labels):
        for distance in range(1, half + 1):
            value = np.sqrt(1 - distance / width)
            for place in (first - distance, last + distance):
                if 0 <= place < len(soft):
                    soft[place] = min(soft[place] + value, 1.0)
    return soft


def affiliation(flagged: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """How near what is flagged is to what is labelled, beside what chance would give (Huet et al.,
    KDD 2022, arXiv 2206.13167), of single steps.

    Each labelled range is looked at within the steps that it is the nearest one of.

    Args:
        flagged: `[time]`, whether each step is taken for an anomaly.
        labels: `[time]`, whether it is one.

    Returns:
        Precision (NaN where nothing is flagged) and recall, both .5 of what stands anywhere.
    """
    ranges = runs(labels)
    precisions = []
    recalls = []
    for zone, (first, last) in zip(_zones(ranges, len(labels)), ranges, strict=True):
        steps = np.arange(*zone)
        distance = np.maximum(np.maximum(first - steps, steps - last), 0)
        inside = flagged[steps]
        if not inside.any():
            recalls.append(0.0)
            continue
        # The share of the zone's steps that are at least as far away.
        order = np.sort(distance)
        shares = 1 - np.searchsorted(order, distance, side="left") / len(steps)
        precisions.append(float(shares[inside].mean()))
        recalls.append(_recall(steps[inside], np.arange(first, last + 1), zone))
    precision = float(np.mean(precisions)) if precisions else float("nan")
    return precision, float(np.mean(recalls)) if recalls else float("nan")


def _zones(ranges: np.ndarray, length: int) -> list[tuple[int, int]]:
    """Begin and end of the steps that each range is the nearest of."""
    middles = [(int(a[1]) + int(b[0]) + 1) // 2 for a, b in itertools.pairwise(ranges)]
    edges = [0, *middles, length]
    return list(itertools.pairwise(edges))


def _recall(flagged: np.ndarray, steps: np.ndarray, zone: tuple[int, int]) -> float:
    """The mean over a range's steps of the share of its zone that is as far from each as the
    nearest flagged step, or farther.
    """
    after = np.searchsorted(flagged, steps)
    left = np.abs(steps - flagged[np.maximum(after - 1, 0)])
    right = np.abs(steps - flagged[np.minimum(after, len(flagged) - 1)])
    nearest = np.minimum(left, right)
    begin, end = zone
    low = np.maximum(steps - nearest + 1, begin)
    high = np.minimum(steps + nearest - 1, end - 1)
    nearer = np.where(nearest > 0, high - low + 1, 0)
    return float(np.mean(1 - nearer / (end - begin)))
