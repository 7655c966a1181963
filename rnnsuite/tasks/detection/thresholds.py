"""From which score on a step is an anomaly: what normal scores, or the scores themselves, tell.

Scores are larger, the less normal a step is. Thresholds for scores of normal data are those of
`quantile` and `peaks_over_threshold`; `Spot` and `drifting_spot` follow a stream, and `dynamic`
looks at the scores of a whole series, which may hold anomalies.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from rnnsuite.tasks.detection.dynamic import best_threshold

INITIAL = 0.98
"""The quantile beyond which scores are peaks, as in the paper of `peaks_over_threshold`."""
FEWEST = 10
"""Peaks from which a tail is estimated; of fewer, the largest score is the threshold."""
GROWTH = 1.05
"""Of the number of peaks, by which it has grown when a stream's tail is estimated again."""
MOST = 4096
"""Scores that are kept by `Largest`: 2 % of 200,000."""
EXPONENTIAL = 1e-6
"""Size of a tail's shape up to which it is taken for an exponential one."""


@dataclasses.dataclass(frozen=True)
class Tail:
    """A generalised Pareto distribution of what scores exceed `begin` by.

    Args:
        begin: score from which the tail is described.
        shape, scale: of the distribution; a shape of 0 is an exponential one.
        share: of all scores, those beyond `begin`.
    """

    begin: float
    shape: float
    scale: float
    share: float

    def threshold(self, risk: float) -> float:
        """The score that a normal step exceeds with this probability (equation 1 of the paper)."""
        if risk >= self.share:
            return self.begin
        ratio = risk / self.share
        if abs(self.shape) < EXPONENTIAL:
            return self.begin - self.scale * math.log(ratio)
        return self.begin + self.scale / self.shape * (ratio**-self.shape - 1)


def fit_tail(peaks: np.ndarray, begin: float, count: int) -> Tail:
    """The tail of scores by maximum likelihood.

    Args:
        peaks: what scores exceed `begin` by, all above 0.
        begin: where the tail begins.
        count: of all scores, peaks or not.

    Returns:
        The tail; of fewer than `FEWEST` peaks one that ends at the largest.
    """
    share = len(peaks) / max(count, 1)
    largest = float(peaks.max()) if len(peaks) else 0.0
    if len(peaks) < FEWEST or largest == float(peaks.min()):
        # A shape of -1 is a uniform distribution up to its scale.
        return Tail(begin, -1.0, largest, share)
    mean = float(peaks.mean())
    # Of sizes near 1: the search for the maximum does not know how large scores are.
    shape, _, scale = stats.genpareto.fit(peaks / mean, floc=0)
    return Tail(begin, float(shape), float(scale) * mean, share)


def peaks_over_threshold(scores: np.ndarray, risk: float, initial: float = INITIAL) -> Tail:
    """The tail of normal scores (Siffer et al., KDD 2017, doi 10.1145/3097983.3098144).

    Args:
        scores: of normal steps `[time]`; those that are not finite do not count.
        risk: probability that a normal step is taken for an anomaly, below 1 - initial.
        initial: quantile from which scores are peaks.

    Returns:
        The tail, whose `threshold(risk)` is the threshold.

    Raises:
        ValueError: for no finite score, or a risk that is not below 1 - initial.
    """
    if not 0 < risk < 1 - initial:
        raise ValueError(f"a risk between 0 and {1 - initial:g} is needed, not {risk:g}")
    scores = finite(scores)
    begin = float(np.quantile(scores, initial))
    return fit_tail(scores[scores > begin] - begin, begin, len(scores))


def finite(scores: np.ndarray) -> np.ndarray:
    """The finite ones. Raises ValueError where there is none."""
    scores = np.asarray(scores, np.float64)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        raise ValueError("no finite score to find a threshold for")
    return scores


class Spot:
    """A threshold that learns from a stream (SPOT, algorithm 1 of the paper).

    Scores beyond the threshold are anomalies and teach nothing; peaks below it refine the tail.

    Args:
        scores: normal ones to begin with.
        risk, initial: see `peaks_over_threshold`.
    """

    def __init__(self, scores: np.ndarray, risk: float, initial: float = INITIAL):
        self.risk = risk
        self.tail = peaks_over_threshold(scores, risk, initial)
        scores = finite(scores)
        self.peaks = list(scores[scores > self.tail.begin] - self.tail.begin)
        self.count = len(scores)
        self.fitted = len(self.peaks)
        self.threshold = self.tail.threshold(risk)

    def step(self, score: float) -> bool:
        """Whether the next score is an anomaly; `threshold` is that for the one after it."""
        if score >= self.threshold:
            return True
        if not math.isfinite(score):
            return False
        self.count += 1
        excess = score - self.tail.begin
        if excess > 0:
            self.peaks.append(excess)
        if len(self.peaks) > self.fitted * GROWTH:
            self.tail = fit_tail(np.array(self.peaks), self.tail.begin, self.count)
            self.fitted = len(self.peaks)
        else:
            share = len(self.peaks) / self.count
            self.tail = dataclasses.replace(self.tail, share=share)
        self.threshold = self.tail.threshold(self.risk)
        return False


def drifting_spot(
    scores: np.ndarray, begin: int, risk: float, depth: int = 20, initial: float = INITIAL
) -> np.ndarray:
    """Thresholds of a series whose scores drift (DSPOT, algorithm 2 of the paper).

    What a score exceeds the mean of the last `depth` normal ones by is given to a `Spot`.

    Args:
        scores: of a whole series `[time]`.
        begin: so many at its beginning are normal; more than depth.
        risk, initial: see `peaks_over_threshold`.
        depth: scores whose mean is subtracted.

    Returns:
        The threshold at each step `[time]`; infinite up to begin.

    Raises:
        ValueError: where begin is not more than depth.
    """
    if begin <= depth:
        raise ValueError(f"more than {depth} scores are needed to begin with, not {begin}")
    sums = np.cumsum(np.concatenate([[0.0], scores[:begin]]))
    means = (sums[depth:-1] - sums[: -depth - 1]) / depth
    spot = Spot(scores[depth:begin] - means, risk, initial)
    recent = list(scores[begin - depth : begin])
    thresholds = np.full(len(scores), np.inf)
    for place in range(begin, len(scores)):
        mean = sum(recent) / depth
        thresholds[place] = mean + spot.threshold
        if not spot.step(scores[place] - mean) and math.isfinite(scores[place]):
            recent = [*recent[1:], scores[place]]
    return thresholds


def quantile(scores: np.ndarray, risk: float) -> float:
    """The score that so small a share of normal ones exceeds. Raises ValueError without any."""
    return float(np.quantile(finite(scores), 1 - risk))


@dataclasses.dataclass(frozen=True)
class Largest:
    """The largest of many scores, from which thresholds of any kind are found later.

    Args:
        scores: falling, at most `MOST`.
        count: of all of them.
        dynamic: see `rnnsuite.tasks.detection.dynamic.best_threshold`; infinite without one.
    """

    scores: tuple[float, ...]
    count: int
    dynamic: float

    @classmethod
    def of(cls, parts: Sequence[np.ndarray]) -> "Largest":
        """Of the scores of several series. Raises ValueError without a finite one."""
        scores = finite(np.concatenate([np.asarray(part, np.float64) for part in parts]))
        largest = np.sort(scores)[::-1][:MOST]
        return cls(tuple(largest.tolist()), len(scores), best_threshold(scores, 0))

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> "Largest":
        """From what `plain` gives."""
        dynamic = plain["dynamic"]
        return cls(tuple(plain["scores"]), plain["count"], math.inf if dynamic is None else dynamic)

    def plain(self) -> dict[str, Any]:
        """JSON-able values; JSON has no infinity."""
        dynamic = self.dynamic if math.isfinite(self.dynamic) else None
        return {"scores": list(self.scores), "count": self.count, "dynamic": dynamic}

    def threshold(self, kind: str, risk: float) -> float:
        """The score from which on a step is an anomaly, more than any where no tail is known.

        Args:
            kind: "peaks", "quantile" or "dynamic".
            risk: probability that a normal step is taken for one.
        """
        scores = np.array(self.scores)
        above = np.nextafter(np.float32(scores[0]), np.float32(np.inf))
        if kind == "dynamic":
            return min(self.dynamic, float(above))
        if kind == "quantile":
            place = min(int(risk * self.count), len(scores) - 1)
            return float(max(scores[place], np.finfo(np.float32).tiny))
        share = min(1 - INITIAL, (len(scores) - 1) / self.count)
        place = int(share * self.count)
        begin = float(scores[place])
        peaks = scores[:place]
        tail = fit_tail(peaks[peaks > begin] - begin, begin, self.count)
        return max(tail.threshold(risk), float(np.finfo(np.float32).tiny))
