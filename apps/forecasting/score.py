"""How good the forecasts are, and what costs nothing beside them."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Direction, Score, Scoring
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks.forecasting import figures
from rnnsuite.tasks.forecasting.metrics import METRICS, Forecasts, accuracy, by_step, standardised

from .data import Fitted
from .floor import floor
from .together import separate

STANDARDISED: Mapping[str, Direction] = {"standardised_mse": "min", "standardised_mae": "min"}
"""Of values divided by the standard deviation of their series' training part."""
CASES = 8
"""Forecasts that are told of, best and worst."""


def score(
    references: Sequence[Record], answers: Mapping[str, np.ndarray], fitted: Fitted | None = None
) -> Score:
    """Accuracy over all steps, by step, and by series, with plots.

    Args:
        references: records with `truth`, `values` and what `rnnsuite`'s data adds to them.
        answers: `mean`, `quantiles` and `levels`, in the same order, and perhaps `times`.
        fitted: says whether these are times; None where it is not known.

    Returns:
        The score; cases are ordered by their absolute error over their series' deviation.

    Raises:
        UserError: where no observation followed any forecast.
    """
    references, answers = _observed(*separate(references, answers))
    forecasts = _forecasts(references, answers)
    deviation = np.array([record["deviation"] for record in references])
    error = (forecasts.mean - forecasts.truth) / deviation[:, None]
    values = accuracy(forecasts)
    metrics = {name: values[name] for name in METRICS if name in values}
    metrics |= standardised(forecasts.truth, forecasts.mean, deviation)
    sizes = np.nanmean(np.abs(error), axis=1)
    order = np.argsort(sizes, kind="stable")
    names = [f"{as_text(record['id'])}, from {record['origin']}" for record in references]
    cases = [
        {"series": names[place], "error / deviation": round(float(sizes[place]), 4)}
        for place in order
    ]
    histories = [record["values"] for record in references]
    shown = [int(order[place]) for place in (0, len(order) // 2, -1)]
    rows = by_step(forecasts)
    plots = {
        "Best, median and worst forecast": functools.partial(
            figures.bands, forecasts, histories, names, shown
        ),
        "Error by step": functools.partial(figures.by_step, rows),
        "Calibration": functools.partial(figures.calibration, forecasts),
    }
    if "times" in answers and fitted is not None and fitted.unit == "second":
        times = np.asarray(answers["times"])
        plots["Errors by time"] = functools.partial(figures.residuals, forecasts, times)
    return Score(
        metrics=metrics,
        neutral={name: value for name, value in values.items() if name.startswith("coverage_")},
        plots=plots,
        tables={"Intervals": _intervals(forecasts, values), "By step": _thinned(rows)},
        notes=_notes(metrics),
        right=cases[:CASES],
        wrong=cases[::-1][:CASES],
        titles=("Largest errors", "Smallest errors"),
    )


def _observed(references: Sequence[Record], answers: Mapping[str, np.ndarray]) -> tuple:
    """Records and answers of the forecasts that some observation followed. Raises UserError."""
    places = [n for n, record in enumerate(references) if not np.isnan(record["truth"]).all()]
    if not places:
        raise UserError("All values of this split are missing; nothing can be scored.")
    chosen = {name: np.asarray(column)[places] for name, column in answers.items()}
    return [references[place] for place in places], chosen


def _forecasts(references: Sequence[Record], answers: Mapping[str, np.ndarray]) -> Forecasts:
    return Forecasts(
        truth=np.stack([record["truth"] for record in references]).astype(np.float64),
        mean=np.asarray(answers["mean"], np.float64),
        quantiles=np.asarray(answers["quantiles"], np.float64),
        # Levels are float32 in a graph: 0.1 comes back as 0.10000000149.
        levels=tuple(round(float(level), 6) for level in answers["levels"][0]),
        scale=np.array([record["seasonal_error"] for record in references], np.float64),
    )


def _intervals(forecasts: Forecasts, values: Mapping[str, float]) -> list[dict[str, Any]]:
    rows = []
    for coverage in forecasts.coverages():
        name = f"{100 * coverage:g}"
        rows.append(
            {
                "interval": f"{name} %",
                "observations inside": values[f"coverage_{name}"],
                "width": values[f"width_{name}"],
            }
        )
    return rows


def _thinned(rows: Sequence[Mapping[str, float]], most: int = 24) -> list[dict[str, float]]:
    columns = ("step", "mae", "rmse", "smape", "wql")
    chosen = rows[:: -(-len(rows) // most)]
    return [{name: row[name] for name in columns if name in row} for row in chosen]


def _notes(metrics: Mapping[str, float]) -> dict[str, str]:
    if metrics.get("mase", 0.0) < 1:
        return {}
    return {"mase": "not under 1: the seasonal naive forecast errs less within the history"}


SCORING = Scoring(score=score, metrics={**METRICS, **STANDARDISED}, primary="wql", floor=floor)
