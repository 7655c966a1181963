"""Two fields in; a value and its bound out."""

import dataclasses
import json

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature
from rnnsuite.core.fields import Array


@dataclasses.dataclass(frozen=True)
class Answer:
    """The value, and the largest error that calibration saw."""

    value: float
    bound: float


def signatures(trained):
    std = trained.fitted.std
    bound = trained.calibration.get("largest_error", 0.0)
    inputs = {
        "series": tf.TensorSpec([None, None, 2], tf.float32, name="series"),
        "scale": tf.TensorSpec([None], tf.float32, name="scale"),
    }

    def answer(series, scale):
        value = trained.model({"series": series / std, "scale": scale}, training=False)["value"]
        return {"value": value, "bound": tf.fill(tf.shape(value), bound)}

    example = {"series": np.ones([2, 5, 2], np.float32), "scale": np.ones(2, np.float32)}
    return {"serving_default": Signature(answer, inputs, example, lite=True)}


def files(trained):
    return {"drift.json": json.dumps({"std": trained.fitted.std}).encode()}


def open_device(folder):
    json.loads((folder / "drift.json").read_text())

    def request(record):
        return {"series": record["series"][None], "scale": np.asarray(record["scale"])[None]}

    return OnDevice(request, lambda outputs: {name: row[0] for name, row in outputs.items()})


SERVING = Serving(
    fields={
        "series": Array((None, 2), meaning="a series of two values a step"),
        "scale": Array((), meaning="what the drift is multiplied by"),
    },
    answer=Answer,
    signatures=signatures,
    device=Device(files=files, open=open_device),
)
