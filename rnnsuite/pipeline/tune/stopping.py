"""When a trial of a search has had enough: others were better, or the time is up.

What is decided depends on the records of trials that have ended, so that a search that was killed
decides as one that was not.
"""

import pathlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from rnnsuite.app import App, Direction
from rnnsuite.core.files import as_user_error, read_json, write_json
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.settings import Tune

LEAST = 3
"""Trials that have come as far, without which none is stopped."""
FACTOR = 3
"""Successive halving: of so many trials one goes on to so many times the epochs."""
Curve = Sequence[float]


def is_below_median(curve: Curve, others: Sequence[Curve], direction: Direction) -> bool:
    """Whether a trial's best value is worse than the median of the others' means so far.

    The median stopping rule (Golovin et al., Google Vizier, KDD 2017, section 3.2.1).

    Args:
        curve: the trial's objective after each of its epochs.
        others: the same of trials that have ended.
        direction: whether lower or higher is better.

    Returns:
        True where it should stop; never before `LEAST` others have come as far.
    """
    means = [statistics.fmean(peer[: len(curve)]) for peer in others if len(peer) >= len(curve)]
    if len(means) < LEAST:
        return False
    median = statistics.median(means)
    return min(curve) > median if direction == "min" else max(curve) < median


def is_cut(curve: Curve, others: Sequence[Curve], direction: Direction, grace: int) -> bool:
    """Whether a trial is not among the best third after 1, 3, 9 ... times the grace epochs.

    Asynchronous successive halving (Li et al., arXiv 1810.05934) that stops what it does not
    promote.

    Args:
        curve: the trial's objective after each of its epochs.
        others: the same of trials that have ended, for whatever reason.
        direction: whether lower or higher is better.
        grace: epochs before the first cut.

    Returns:
        True where it should stop; never before `LEAST` others have come as far.
    """
    rung = grace
    while rung < len(curve):
        rung *= FACTOR
    if rung != len(curve):
        return False
    best = min if direction == "min" else max
    values = [best(peer[:rung]) for peer in others if len(peer) >= rung]
    if len(values) < LEAST:
        return False
    values = sorted([*values, best(curve)], reverse=direction == "max")
    return values.index(best(curve)) >= len(values) / FACTOR


class Stopping:
    """The rule of a search, over the folders of its trials.

    Args:
        app: the application.
        folder: of the trials.
        settings: how to search.
        direction: whether the objective is better when lower or higher.
    """

    def __init__(self, app: App, folder: pathlib.Path, settings: Tune, direction: Direction):
        self.app = app
        self.folder = folder
        self.settings = settings
        self.direction: Direction = direction
        self._ended: dict[str, Curve] = {}

    def reason(self, number: str, history: Sequence[Mapping[str, float]]) -> str:
        """Why a trial should stop after its epochs so far; empty where it should not."""
        settings = self.settings
        curve = self._curve(history)
        if settings.stopping == "none" or len(curve) < settings.grace:
            return ""
        others = self._others(number)
        if settings.stopping == "median":
            return "below the median" if is_below_median(curve, others, self.direction) else ""
        is_out = is_cut(curve, others, self.direction, settings.grace)
        return "not among the best third" if is_out else ""

    def _curve(self, history: Sequence[Mapping[str, float]]) -> Curve:
        return [row[self.settings.objective] for row in history]

    def _others(self, number: str) -> list[Curve]:
        """Of the trials that have ended."""
        for path in sorted(self.folder.glob("*/metrics.json")):
            name = path.parent.name
            if name != number and name not in self._ended:
                self._ended[name] = self._curve(Run(self.app, path.parent).history())
        return [curve for name, curve in self._ended.items() if name != number]


class Budget:
    """The time that a search has taken, in all its sittings.

    Args:
        path: where it is kept.
        hours: how much there is; 0 for as much as it takes.
        clock: tells seconds.
    """

    def __init__(
        self, path: pathlib.Path, hours: float, clock: Callable[[], float] = time.monotonic
    ):
        self.path = path
        self.hours = hours
        self._clock = clock
        self._since = clock()
        self.seconds: float = read_json(path)["seconds"] if path.is_file() else 0.0

    def is_spent(self) -> bool:
        """Counts the time up to now. True where nothing is left."""
        now = self._clock()
        self.seconds += now - self._since
        self._since = now
        with as_user_error(self.path):
            write_json(self.path, {"seconds": round(self.seconds, 1)})
        return bool(self.hours) and self.seconds >= 3600 * self.hours
