"""The score of the Numenta Anomaly Benchmark (Lavin & Ahmad, ICMLA 2015, arXiv 1510.03336).

A detection counts by how early in a labelled window it comes; a false alarm costs more, the further
behind a window it stands; one threshold serves all series.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

PROBATION = 0.15
"""Share of a series in which nothing is scored."""
LONGEST_PROBATION = 750
"""Observations of it at most: 15 % of 5,000."""
STEEPNESS = 5.0
"""Of the curve that says what a place within or behind a window is worth (equation 1)."""
FARTHEST = 3.0
"""Window widths behind a window from which a false alarm costs all it can."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """What an application gains and loses.

    Args:
        found: gain of a window that is detected at its very beginning.
        false_alarm: cost of one far from any window.
        missed: cost of a window without a detection.
    """

    found: float = 1.0
    false_alarm: float = 0.11
    missed: float = 1.0


PROFILES = {
    "standard": Profile(),
    "reward_low_FP_rate": Profile(false_alarm=0.22),
    "reward_low_FN_rate": Profile(missed=2.0),
}
"""The benchmark's three."""


@dataclasses.dataclass(frozen=True)
class Scored:
    """One series: an anomaly score at every step, and the windows of its anomalies.

    Args:
        scores: `[time]`.
        windows: first and last step of each, in order, none overlapping another.
        begin: step from which on scores count; None for that behind the benchmark's probation.
    """

    scores: np.ndarray
    windows: Sequence[tuple[int, int]]
    begin: int | None = None

    def first(self) -> int:
        """The step from which on scores count."""
        return probation(len(self.scores)) if self.begin is None else self.begin


@dataclasses.dataclass(frozen=True)
class Swept:
    """The best that one threshold reaches.

    Args:
        score: 0 of a detector that never speaks, 100 of a perfect one; less than 0 is possible.
        threshold: scores from it on are detections.
        raw: the sum of gains and costs.
        detected: windows with a detection.
        false_alarms: steps that are detections outside of all windows.
    """

    score: float
    threshold: float
    raw: float
    detected: int
    false_alarms: int


def probation(length: int) -> int:
    """Steps at the beginning of a series in which nothing is scored."""
    return min(math.floor(PROBATION * length), LONGEST_PROBATION)


def worth(place: np.ndarray) -> np.ndarray:
    """Between 1 and -1: of a place relative to a window's end, in window widths (equation 1).

    Args:
        place: from -1, its beginning, to 0, its end, and beyond.
    """
    inside = 2 / (1 + np.exp(STEEPNESS * np.minimum(place, FARTHEST))) - 1
    return np.where(place > FARTHEST, -1.0, inside)


def weights(series: Scored) -> tuple[np.ndarray, np.ndarray]:
    """What a detection at each step is worth to a profile of ones.

    Returns:
        The worth `[time]`, at most 1, and the number of the window that each step is in, -1 for
        none.
    """
    length = len(series.scores)
    values = np.full(length, -1.0)
    number = np.full(length, -1)
    most = worth(np.array(-1.0))
    steps = np.arange(length)
    for place, (first, last) in enumerate(series.windows):
        width = last - first + 1
        inside = slice(first, last + 1)
        values[inside] = worth(-(last - steps[inside] + 1) / width) / most
        number[inside] = place
        behind = steps[last + 1 :]
        values[last + 1 :] = worth((behind - last) / max(width - 1, 1))
    return values, number


def sweep(corpus: Sequence[Scored], profile: Profile) -> Swept:
    """The threshold that serves a whole corpus best, and its score.

    Args:
        corpus: all series.
        profile: what counts.

    Returns:
        The best, and the highest such threshold; a score of 0 without windows to be found.
    """
    if not any(series.windows for series in corpus):
        return Swept(0.0, math.inf, 0.0, 0, 0)
    scores, gains, alarms, windows = _points(corpus, profile)
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    totals = np.cumsum(gains[order])
    # A threshold cannot stand between equal scores.
    last = np.append(scores[1:] != scores[:-1], True)
    nothing = -windows * profile.missed
    candidates = np.concatenate([[nothing], nothing + totals[last]])
    best = int(np.argmax(candidates))
    threshold = math.inf if not best else float(scores[last][best - 1])
    most = windows * profile.found
    chosen = scores >= threshold
    return Swept(
        score=100 * (float(candidates[best]) - nothing) / (most - nothing),
        threshold=threshold,
        raw=float(candidates[best]),
        detected=sum(
            _finds(series, window, threshold) for series in corpus for window in series.windows
        ),
        false_alarms=int(np.sum(chosen & alarms[order])),
    )


def report(corpus: Sequence[Scored]) -> Mapping[str, Swept]:
    """`sweep` of all `PROFILES`, by name."""
    return {name: sweep(corpus, profile) for name, profile in PROFILES.items()}


def _points(
    corpus: Sequence[Scored], profile: Profile
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Of all steps that are scored: their anomaly scores, what the total gains where the threshold
    falls to each, and whether they are outside of all windows; and the number of windows.

    Of a window only the best detection counts: a step gains what it is worth beyond the steps of
    higher scores.
    """
    parts = []
    count = 0
    for series in corpus:
        count += len(series.windows)
        values, number = weights(series)
        gains = np.where(number < 0, values * profile.false_alarm, 0.0)
        begin = series.first()
        for place in range(len(series.windows)):
            steps = np.flatnonzero(number == place)
            steps = steps[steps >= begin]
            steps = steps[np.argsort(-series.scores[steps], kind="stable")]
            best = np.maximum.accumulate(np.append(-profile.missed, values[steps] * profile.found))
            gains[steps] = np.diff(best)
        parts.append((series.scores[begin:], gains[begin:], number[begin:] < 0))
    scores, gains, alarms = (np.concatenate(part) for part in zip(*parts, strict=True))
    return scores, gains, alarms, count


def _finds(series: Scored, window: tuple[int, int], threshold: float) -> bool:
    first = max(window[0], series.first())
    return bool((series.scores[first : window[1] + 1] >= threshold).any())
