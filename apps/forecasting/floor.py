"""Cheap forecasts: those that cost nothing, and a linear model of the window."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.core.fields import Record
from rnnsuite.tasks.forecasting.linear import LinearForecaster
from rnnsuite.tasks.forecasting.metrics import Forecasts, accuracy, standardised
from rnnsuite.tasks.forecasting.naive import FORECASTERS

from .config import DataConfig
from .data import Fitted, load
from .together import separate

WINDOWS = 16_384
"""Of train, on which the linear model is fitted."""
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""The linear model's quantiles: a network's, where nothing else is configured."""
BATCH = 256
LINEAR = "linear model of the window"


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The cheap forecast with the least absolute error on these records.

    Args:
        config: the source whose training part the linear model learns.
        fitted: what a window is.
        records: what is forecast.

    Returns:
        `model`, its name, and its metrics. Of those of `rnnsuite.tasks.forecasting.naive` and of
        `rnnsuite.tasks.forecasting.linear`, each series forecast alone.
    """
    alone, _ = separate(records, {})
    results = []
    horizon = fitted.horizon
    for name, forecast in FORECASTERS.items():
        mean = np.stack([forecast(record["values"], horizon, fitted.season) for record in alone])
        results.append({"model": name, **_metrics(alone, mean, np.zeros([*mean.shape, 0]), ())})
    quantiles = _linear(config, fitted, records)
    mean = quantiles[:, :, LEVELS.index(0.5)]
    results.append({"model": LINEAR, **_metrics(alone, mean, quantiles, LEVELS)})
    return min(results, key=lambda result: result["mae"])


def _metrics(records, mean, quantiles, levels) -> dict[str, float]:
    truth = np.stack([record["truth"] for record in records]).astype(np.float64)
    deviation = np.array([record["deviation"] for record in records])
    scale = np.array([record["seasonal_error"] for record in records], np.float64)
    forecasts = Forecasts(truth, mean, quantiles, levels, scale)
    return {**accuracy(forecasts), **standardised(truth, mean, deviation)}


def _linear(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> np.ndarray:
    """Quantiles of the linear model `[forecasts, horizon, LEVELS]`."""
    model = LinearForecaster(fitted.horizon, LEVELS)
    count = max(WINDOWS // max(len(fitted.together), 1), 1)
    for values, features, truth, _ in _windows(fitted, load(config, "train").take(count)):
        model.learn(values, features, truth)
    model.fit()
    windowed = fitted.windowed()
    parts = []
    for values, features, _, (center, scale) in _windows(fitted, records):
        levels = center + scale * model(values, features)
        parts.append(windowed.value(tf.constant(levels, tf.float32)).numpy())
    return np.concatenate(parts)


def _windows(fitted: Fitted, records) -> Iterator[tuple]:
    """Scaled windows, features of the horizon, scaled truth, and center and scale, in batches."""
    windowed = fitted.windowed()
    names = ["values", "times", "truth"] + ["covariates"] * bool(fitted.covariates)
    source = records.as_numpy_iterator() if isinstance(records, tf.data.Dataset) else iter(records)
    while batch := list(itertools.islice(source, BATCH)):
        columns = {name: tf.constant(np.stack([row[name] for row in batch])) for name in names}
        window = windowed(columns["values"], columns["times"], columns.get("covariates"))
        truth = (windowed.level(columns["truth"]) - window.center) / window.scale
        features = np.zeros([len(batch), fitted.horizon, 0], np.float32)
        if window.features is not None:
            features = window.features[:, fitted.lookback :].numpy()
        parts = [window.values.numpy(), truth.numpy(), window.center.numpy(), window.scale.numpy()]
        if parts[0].ndim == 3:  # of several series side by side
            parts = [np.concatenate(np.moveaxis(part, 2, 1)) for part in parts]
            features = np.repeat(features, len(fitted.together), axis=0)
        values, truth, center, scale = parts
        yield values, features, truth, (center[..., None], scale[..., None])
