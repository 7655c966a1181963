"""A recurrent network that forecasts the next values, or reconstructs the last, or both."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Direction, Model, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.layers import Dropout, Stack
from rnnsuite.tasks.detection.dynamic import widened
from rnnsuite.tasks.detection.thresholds import Largest
from rnnsuite.tasks.forecasting.distributions import DISTRIBUTIONS

from .config import LEARNED, ModelConfig
from .data import Fitted
from .stream import WARM, log_likelihood, reconstruction_error, scores

TAILS = {"none": ("forecast", "sustained"), "ratio": ("novelty",)}
"""Tails that are for some evidence alone."""
SKIPPED = 4
"""Steps at the beginning of a training window that only fill the states."""


def build(config: ModelConfig, fitted: Fitted) -> keras.Model:
    """The network.

    Args:
        config: sizes and regularisation.
        fitted: gives the channels.

    Returns:
        A model from what `RunningScale` gives `[batch, time, 2 channels]` to a dict: `forecast`
        `[batch, time, size of the distribution * scored]`, of the next step's values, and
        `reconstruction` `[batch, time, span * scored]`, the last values, the latest first, from
        `code` numbers (a recurrent autoencoder whose decoder is one layer: arXiv 1607.00148 has a
        recurrent one).

    Raises:
        UserError: for evidence that a tail is not for.
    """
    fitting = TAILS.get(config.tail, config.evidence)
    others = [name for name in config.evidence if name not in fitting]
    if others:
        raise UserError(
            f"model.tail: {config.tail} is for {' and '.join(fitting)}; {others[0]} needs another."
        )
    x = keras.Input([None, 2 * len(fitted.names)], name="scaled")
    h = Stack(config.cell, config.units, config.depth, dropout=config.dropout, name="recurrent")(x)
    h = Dropout(config.dropout)(h)
    count = len(fitted.scored)
    outputs = {}
    # Of a detector that learns nothing, the forecast is still there to be looked at.
    if {"forecast", "sustained"} & {*config.evidence} or not {*LEARNED} & {*config.evidence}:
        size = DISTRIBUTIONS[config.distribution].size * count
        outputs["forecast"] = keras.layers.Dense(size, dtype="float32", name="forecast")(h)
    if "reconstruction" in config.evidence:
        code = keras.layers.Dense(config.code, activation="tanh", name="code")(h)
        outputs["reconstruction"] = keras.layers.Dense(
            config.span * count, dtype="float32", name="reconstruction"
        )(code)
    return keras.Model(x, outputs, name="anomaly_detection")


def loss(
    config: ModelConfig, targets: Mapping[str, tf.Tensor], outputs: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Minus the log-likelihood (nats) of each next value, and the squared error of the last ones.

    Args:
        config: gives the distribution and the span.
        targets: see `data.examples`.
        outputs: of the model.

    Returns:
        Values `[batch]` by the names in METRICS; `loss` is the sum of the others.
    """
    values = targets["values"]
    observed = targets["observed"]
    forecast_loss = tf.zeros_like(values[:, 0, 0])
    reconstruction_loss = tf.zeros_like(values[:, 0, 0])
    if "forecast" in outputs:
        distribution = DISTRIBUTIONS[config.distribution]
        ahead = values[:, 1:]
        surprise = -log_likelihood(distribution, outputs["forecast"][:, :-1], ahead)
        forecast_loss = _mean(surprise[:, SKIPPED:], observed[:, 1 + SKIPPED :])
    if "reconstruction" in outputs:
        before = [[0, 0], [config.span - 1, 0], [0, 0]]
        errors = reconstruction_error(
            outputs["reconstruction"], tf.pad(values, before), tf.pad(observed, before), config.span
        )
        reconstruction_loss = _mean(errors[:, SKIPPED:], observed[:, SKIPPED:])
    return {
        "loss": forecast_loss + reconstruction_loss,
        "forecast_loss": forecast_loss,
        "reconstruction_loss": reconstruction_loss,
    }


def _mean(values: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Over all observed steps and channels, of each row."""
    total = tf.reduce_sum(values * observed, axis=[1, 2])
    return total / tf.maximum(tf.reduce_sum(observed, axis=[1, 2]), 1.0)


def calibrate(trained: Trained, records: Sequence[Record]) -> dict[str, Any]:
    """The largest scores of held-out steps, of which none is labelled an anomaly.

    Args:
        trained: the model.
        records: the validation series, each behind its history.

    Returns:
        `scores`, by which thresholds are found; see `Largest`.
    """
    chain = scores(trained.model, trained.config.model, trained.fitted)
    channels = len(trained.fitted.names)

    @tf.function(input_signature=[tf.TensorSpec([1, None, channels], tf.float32)])
    def score(values):
        return tf.reduce_max(chain.stream(values, chain.zeros(1))[0], axis=-1)

    parts = []
    for record in records:
        of_record = score(record["values"][None])[0].numpy()
        # What follows an anomaly is not normal at once, to a model that has read it.
        is_normal = ~widened(record["labels"] == 1, WARM)
        is_normal[: max(int(record["begin"]), WARM)] = False
        parts.append(of_record[is_normal])
    return {"scores": Largest.of(parts).plain()}


METRICS: Mapping[str, Direction] = {
    "loss": "min",
    "forecast_loss": "min",
    "reconstruction_loss": "min",
}
MODEL = Model(config=ModelConfig, build=build, loss=loss, metrics=METRICS, calibrate=calibrate)
