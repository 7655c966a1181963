"""How a trained model is asked: a series in, the steps that follow out."""

import dataclasses
import json

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature
from rnnsuite.core.fields import Array

NAMES = ("low", "median", "high")
SETTINGS = "window.json"
"""The file with the sizes of a window, beside .tflite files."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What follows a series: [steps][columns], each.

    Args:
        low: below which a tenth of what may come lies.
        median: in the middle of it.
        high: above which a tenth lies.
    """

    low: tuple[tuple[float, ...], ...]
    median: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]


def signatures(trained):
    """serving_default takes series of any length, forecast windows alone, for devices."""
    fitted = trained.fitted
    columns = len(fitted.deviation)
    deviation = tf.constant(fitted.deviation)[:, None]

    def forecast(series):
        quantiles = trained.model(series, training=False)["quantiles"] * deviation
        return dict(zip(NAMES, tf.unstack(quantiles, axis=-1), strict=True))

    def answer(series):
        steps = tf.shape(series)[1]
        with tf.control_dependencies([tf.debugging.assert_positive(steps, "at least one step")]):
            missing = tf.maximum(fitted.past - steps, 0)
            before = tf.repeat(series[:, :1], missing, axis=1)
        window = tf.concat([before, series], axis=1)[:, -fitted.past :]
        return forecast(tf.ensure_shape(window, [None, fitted.past, columns]))

    def inputs(steps):
        return {"series": tf.TensorSpec([None, steps, columns], tf.float32, name="series")}

    example = {"series": np.ones([2, fitted.past, columns], np.float32)}
    return {
        "serving_default": Signature(answer, inputs(None), example),
        "forecast": Signature(forecast, inputs(fitted.past), example, lite=True),
    }


def files(trained):
    """What lies beside .tflite files."""
    fitted = trained.fitted
    return {SETTINGS: json.dumps({"past": fitted.past, "width": len(fitted.deviation)}).encode()}


def open_device(folder):
    """Reads it again."""
    past = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["past"]

    def request(record):
        series = np.asarray(record["series"], np.float32)[-past:]
        return {"series": np.pad(series, ((past - len(series), 0), (0, 0)), mode="edge")[None]}

    return OnDevice(
        request=request, answer=lambda outputs: {name: outputs[name][0] for name in NAMES}
    )


def show(fitted, answer):
    """A line for each step: of every column its median, and the range around it."""
    lines = []
    for step, columns in enumerate(zip(*(answer[name] for name in NAMES), strict=True), 1):
        cells = [
            f"{median:.4g} ({low:.4g} to {high:.4g})"
            for low, median, high in zip(*columns, strict=True)
        ]
        lines.append(f"+{step}  " + "  ".join(cells))
    return lines


SERVING = Serving(
    fields={"series": Array((None, None), meaning="a series, [steps][columns], the oldest first")},
    answer=Answer,
    signatures=signatures,
    device=Device(files=files, open=open_device),
    show=show,
)
