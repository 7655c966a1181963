"""How good forecasts are, beside a cheap floor: the last value again."""

import functools

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.text import as_text
from rnnsuite.tasks.forecasting.naive import naive

CASES = 8


def score(references, answers, fitted):
    """Errors over each column's deviation, so that columns count alike, and the share of values
    between the 10 and the 90 % quantile.
    """
    truth = np.stack([record["future"] for record in references])
    low, median, high = (np.asarray(answers[name]) for name in ("low", "median", "high"))
    error = (median - truth) / np.array(fitted.deviation)
    sizes = np.abs(error).mean(axis=(1, 2))
    cases = [
        {"window": as_text(references[place]["id"]), "mae": round(float(sizes[place]), 4)}
        for place in np.argsort(sizes, kind="stable")
    ]
    return Score(
        metrics={"mae": float(np.abs(error).mean()), "mse": float(np.square(error).mean())},
        neutral={"coverage_80": float(((truth >= low) & (truth <= high)).mean())},
        plots={"Error by step": functools.partial(_by_step, np.abs(error).mean(axis=(0, 2)))},
        right=cases[:CASES],
        wrong=cases[::-1][:CASES],
        titles=("Largest errors", "Smallest errors"),
    )


def _by_step(errors):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, len(errors) + 1), errors, marker="o")
    axes.set(xlabel="steps ahead", ylabel="absolute error / deviation", ylim=(0, None))
    axes.grid(alpha=0.3)
    return figure


def floor(config, fitted, records):
    """The last value of each column, again and again."""
    again = np.stack(
        [
            np.stack([naive(column, fitted.horizon) for column in record["series"].T], axis=-1)
            for record in records
        ]
    )
    answers = dict.fromkeys(("low", "median", "high"), again)
    return {"model": "last value", **score(records, answers, fitted).metrics}


SCORING = Scoring(score=score, metrics={"mae": "min", "mse": "min"}, primary="mae", floor=floor)
