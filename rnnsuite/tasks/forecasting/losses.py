"""What forecasts are trained by, and how held-out ones correct their intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def loss(
    targets: Mapping[str, tf.Tensor],
    outputs: Mapping[str, tf.Tensor],
    levels: Sequence[float],
    absolute: bool,
    quantile_weight: float,
    frequency_weight: float = 0.0,
) -> dict[str, tf.Tensor]:
    """The error of the mean and the quantile loss of each forecast.

    Args:
        targets: `truth` and `observed` `[batch, horizon]`, scaled as the outputs are, and `weight`
            `[batch]`, by which an error is multiplied to be one of the whole series' scale; all
            with an axis of series behind, where several are forecast together.
        outputs: `mean` `[batch, horizon]` and `quantiles` `[batch, horizon, levels]`, likewise.
        levels: of the quantiles.
        absolute: whether the error is absolute, and not squared.
        quantile_weight: of the quantile loss in `loss`.
        frequency_weight: share of `loss`'s error that is that of frequencies, see
            `frequency_error`.

    Returns:
        `loss`, `error` and `quantile_loss`, `[batch]` each; the quantile loss is twice that of
        Koenker & Bassett (1978), averaged over levels, which approaches the CRPS.
    """
    error, quantile_loss = _errors(targets, outputs["mean"], outputs["quantiles"], levels, absolute)
    total = error
    if frequency_weight:
        of_frequencies = frequency_error(targets, outputs["mean"])
        total = (1 - frequency_weight) * error + frequency_weight * of_frequencies
    return {
        "loss": total + quantile_weight * quantile_loss,
        "error": error,
        "quantile_loss": quantile_loss,
    }


def frequency_error(targets: Mapping[str, tf.Tensor], mean: tf.Tensor) -> tf.Tensor:
    """How far the discrete Fourier transform of the mean is from that of the truth.

    The errors of neighbouring steps go together, those of frequencies hardly do, so that a sum over
    these is closer to a likelihood (FreDF, arXiv 2402.02399, equation 6). The transform is
    orthonormal: of errors without any order, it is of the size of their standard deviation.

    Args:
        targets: as for `loss`; steps that are not observed count as right.
        mean: `[batch, horizon]`, with an axis of series behind where several are forecast.

    Returns:
        The mean distance over the frequencies from 0 to one half a step, `[batch]`.
    """
    difference = (mean - targets["truth"]) * targets["weight"][:, None] * targets["observed"]
    together = len(difference.shape) == 3
    if together:
        difference = tf.transpose(difference, [0, 2, 1])
    steps = tf.cast(tf.shape(difference)[-1], tf.float32)
    distance = tf.abs(tf.signal.rfft(difference)) / tf.sqrt(steps)
    return tf.reduce_mean(distance, axis=[1, 2] if together else 1)


def likelihood(
    targets: Mapping[str, tf.Tensor],
    distribution: Any,
    levels: Sequence[float],
    absolute: bool,
) -> dict[str, tf.Tensor]:
    """How probable each value is, told the values before it.

    Args:
        targets: as for `loss`.
        distribution: of each step `[batch, horizon]`; see
            `rnnsuite.tasks.forecasting.distributions`.
        levels: of the quantiles.
        absolute: whether the error is absolute, and not squared.

    Returns:
        `loss`, minus the mean log-likelihood of a forecast's values (nats), and `error` and
        `quantile_loss`, those of forecasts of one step each; `[batch]`.
    """
    observed = targets["observed"]
    count = tf.maximum(tf.reduce_sum(observed, axis=1), 1.0)
    negative = -distribution.log_likelihood(targets["truth"]) * observed
    quantiles = tf.stack(
        [distribution.quantile(tf.constant(level, tf.float32)) for level in levels], axis=-1
    )
    error, quantile_loss = _errors(targets, distribution.mean, quantiles, levels, absolute)
    return {
        "loss": tf.reduce_sum(negative, axis=1) / count,
        "error": error,
        "quantile_loss": quantile_loss,
    }


def _errors(
    targets: Mapping[str, tf.Tensor],
    mean: tf.Tensor,
    quantiles: tf.Tensor,
    levels: Sequence[float],
    absolute: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The error and the quantile loss of each forecast `[batch]`."""
    observed = targets["observed"]
    count = tf.maximum(tf.reduce_sum(observed, axis=1), 1.0)
    weight = targets["weight"][:, None]
    difference = (mean - targets["truth"]) * weight * observed
    size = tf.abs(difference) if absolute else tf.square(difference)
    level = tf.constant(levels, tf.float32)
    truth = tf.expand_dims(targets["truth"], -1)
    below = (truth - quantiles) * tf.expand_dims(weight, -1)
    pinball = tf.reduce_mean(tf.maximum(level * below, (level - 1) * below), axis=-1)
    error = tf.reduce_sum(size, axis=1) / count
    quantile_loss = 2 * tf.reduce_sum(pinball * observed, axis=1) / count
    if len(error.shape) == 2:  # several series, which count alike
        return tf.reduce_mean(error, axis=1), tf.reduce_mean(quantile_loss, axis=1)
    return error, quantile_loss


def conformal(
    truth: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]
) -> list[list[float]]:
    """What is added to quantiles so that central intervals hold what they say.

    Conformalised quantile regression (Romano et al., arXiv 1905.03222, equation 8), for each step
    of the horizon and each pair of levels that lie around one half.

    Args:
        truth: of held-out forecasts `[forecasts, horizon]`, scaled; NaN where it is not known.
        quantiles: `[forecasts, horizon, levels]`.
        levels: of the quantiles, rising.

    Returns:
        `[horizon][levels]`; 0 where too few forecasts are held out to say so much.
    """
    added = np.zeros(quantiles.shape[1:])
    for low, high in pairs(levels):
        distance = np.maximum(quantiles[:, :, low] - truth, truth - quantiles[:, :, high])
        coverage = levels[high] - levels[low]
        for step in range(truth.shape[1]):
            scores = np.sort(distance[:, step][~np.isnan(distance[:, step])])
            place = math.ceil((len(scores) + 1) * coverage) - 1
            if 0 <= place < len(scores):
                added[step, low] = -scores[place]
                added[step, high] = scores[place]
    return [[float(value) for value in row] for row in added]


def pairs(levels: Sequence[float]) -> list[tuple[int, int]]:
    """Places of two levels that are equally far from one half, the narrowest last."""
    matching = []
    for low, level in enumerate(levels):
        for high in range(low + 1, len(levels)):
            if math.isclose(level + levels[high], 1.0):
                matching.append((low, high))
    return matching
