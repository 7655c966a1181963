"""A recurrent layer and a number."""

import keras
import tensorflow as tf

from rnnsuite.app import Model
from rnnsuite.core.section import Positive, section
from rnnsuite.layers import GRU


@section
class ModelConfig:
    """Sizes."""

    units: Positive = 6
    """Units of the recurrent layer."""


def build(config, fitted):
    series = keras.Input([None, 2], name="series")
    scale = keras.Input([], name="scale")
    h = GRU(config.units, name="recurrent")(series)
    drift = keras.layers.Dense(1, name="drift")(h)[:, 0]
    return keras.Model({"series": series, "scale": scale}, {"value": drift * scale}, name="drift")


def loss(config, targets, outputs):
    error = tf.square(outputs["value"] - targets)
    return {"loss": error, "absolute_error": tf.abs(outputs["value"] - targets)}


def calibrate(trained, records):
    """The largest error on the validation records."""
    errors = [abs(float(_predict(trained, record)) - float(record["target"])) for record in records]
    return {"largest_error": max(errors)}


def _predict(trained, record):
    inputs = {"series": record["series"][None] / trained.fitted.std, "scale": record["scale"][None]}
    return trained.model(inputs)["value"][0]


MODEL = Model(
    config=ModelConfig,
    build=build,
    loss=loss,
    metrics={"loss": "min", "absolute_error": "min"},
    calibrate=calibrate,
)
