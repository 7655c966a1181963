"""How good forecasts are, by the field's definitions.

NaN in the truth is a missing observation and counts nowhere.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from rnnsuite.scoring import Direction

METRICS: Mapping[str, Direction] = {
    "mae": "min",
    "mse": "min",
    "rmse": "min",
    "smape": "min",
    "mase": "min",
    "wql": "min",
    "msis": "min",
}
"""What `accuracy` gives beside coverage and width, each with its better direction."""
WIDEST = 0.95
"""The interval that MSIS is of, as in the M4 competition."""


@dataclasses.dataclass(frozen=True)
class Forecasts:
    """Forecasts and what came to be.

    Args:
        truth: `[forecasts, horizon]`.
        mean: `[forecasts, horizon]`.
        quantiles: `[forecasts, horizon, levels]`, rising along the last axis.
        levels: of the quantiles, such as 0.1, 0.5, 0.9.
        scale: mean absolute error of the seasonal naive forecast within each series' history
            `[forecasts]`; NaN where it is not known or 0.
    """

    truth: np.ndarray
    mean: np.ndarray
    quantiles: np.ndarray
    levels: tuple[float, ...]
    scale: np.ndarray

    def interval(self, coverage: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bound of a central interval. Raises KeyError without its two levels."""
        places = []
        for level in ((1 - coverage) / 2, (1 + coverage) / 2):
            near = [
                n for n, item in enumerate(self.levels) if math.isclose(item, level, abs_tol=1e-6)
            ]
            if not near:
                raise KeyError(level)
            places.append(near[0])
        low, high = places
        return self.quantiles[:, :, low], self.quantiles[:, :, high]

    def coverages(self) -> list[float]:
        """The central intervals that have both their levels, narrowest first."""
        lower = sorted((level for level in self.levels if level < 0.5), reverse=True)
        return [
            round(1 - 2 * level, 6)
            for level in lower
            if any(math.isclose(level + other, 1.0) for other in self.levels)
        ]


def accuracy(forecasts: Forecasts) -> dict[str, float]:
    """All metrics of all steps together.

    Args:
        forecasts: at least one observation of them known.

    Returns:
        mae, mse, rmse: of the mean. smape: in percent, 0 to 200 (M4). mase: the mean over forecasts
        of their mean absolute error over the seasonal naive one's (Hyndman & Koehler 2006). wql:
        twice the quantile loss over the sum of absolute values, averaged over levels; without
        weights it is the CRPS. msis: the mean scaled interval score of 95 % (M4). coverage_95 and
        the like: the share of observations within a central interval; width_95: how wide it is on
        average. What cannot be computed is left out.
    """
    f = forecasts
    error = f.mean - f.truth
    observed = ~np.isnan(f.truth)
    size = np.abs(f.mean) + np.abs(f.truth)
    relative = np.where(size == 0, 0.0, 200 * np.abs(error) / np.where(size == 0, 1, size))
    squared = float(np.mean(error[observed] ** 2))
    values = {
        "mae": float(np.mean(np.abs(error[observed]))),
        "mse": squared,
        "rmse": math.sqrt(squared),
        "smape": float(np.mean(relative[observed])),
        "mase": _scaled(np.abs(error), f.scale),
        "wql": _wql(f),
    }
    for coverage in f.coverages():
        low, high = f.interval(coverage)
        name = f"{100 * coverage:g}"
        inside = (low <= f.truth) & (f.truth <= high)
        values[f"coverage_{name}"] = float(np.mean(inside[observed]))
        values[f"width_{name}"] = float(np.mean((high - low)[observed]))
    if WIDEST in f.coverages():
        widest = f.interval(WIDEST)
        values["msis"] = _scaled(interval_score(f.truth, *widest, WIDEST), f.scale)
    return {name: value for name, value in values.items() if not math.isnan(value)}


def standardised(truth: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> dict[str, float]:
    """Errors of values divided by the standard deviation of their series' training part.

    Args:
        truth: `[forecasts, horizon]`, NaN where there is no observation.
        mean: `[forecasts, horizon]`.
        deviation: `[forecasts]`.

    Returns:
        standardised_mse and standardised_mae.
    """
    error = (mean - truth) / deviation[:, None]
    return {
        "standardised_mse": float(np.nanmean(error**2)),
        "standardised_mae": float(np.nanmean(np.abs(error))),
    }


def interval_score(
    truth: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float
) -> np.ndarray:
    """Width, and 2 / (1 - coverage) times the distance of what lies outside (Gneiting & Raftery,
    JASA 2007, equation 43).
    """
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return high - low + 2 / (1 - coverage) * outside


def _scaled(errors: np.ndarray, scale: np.ndarray) -> float:
    """The mean over forecasts of their mean error over their scale; NaN without any."""
    usable = ~np.isnan(scale) & (scale > 0) & ~np.isnan(errors).all(axis=1)
    if not usable.any():
        return math.nan
    return float(np.mean(np.nanmean(errors[usable], axis=1) / scale[usable]))


def quantile_loss(truth: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """The loss that a level's quantile makes smallest (Koenker & Bassett 1978), `[..., levels]`.

    Args:
        truth: `[...]`.
        quantiles: `[..., levels]`.
        levels: of the quantiles.
    """
    error = truth[..., None] - quantiles
    level = np.array(levels)
    return np.maximum(level * error, (level - 1) * error)


def _wql(f: Forecasts) -> float:
    total = float(np.nansum(np.abs(f.truth)))
    if not total or not f.levels:
        return math.nan
    loss = quantile_loss(f.truth, f.quantiles, f.levels)
    return float(np.mean(2 * np.nansum(loss, axis=(0, 1)) / total))


def by_step(forecasts: Forecasts) -> list[dict[str, float]]:
    """`accuracy` of each step of the horizon alone."""
    rows = []
    for step in range(forecasts.truth.shape[1]):
        part = slice(step, step + 1)
        if np.isnan(forecasts.truth[:, part]).all():
            continue
        one = dataclasses.replace(
            forecasts,
            truth=forecasts.truth[:, part],
            mean=forecasts.mean[:, part],
            quantiles=forecasts.quantiles[:, part],
        )
        rows.append({"step": step + 1, **accuracy(one)})
    return rows
