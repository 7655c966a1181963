"""How a trained model is asked: series in, a label and probabilities out."""

import dataclasses
import json

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature
from rnnsuite.core.fields import Array
from rnnsuite.tasks import classification

LENGTHS = (32, 128)
"""Steps of portable files' signatures."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A series' class.

    Args:
        label: its name.
        probabilities: of every class, in the order of labels.txt.
        weights: attention of every step; together they are 1.
    """

    label: str
    probabilities: tuple[float, ...]
    weights: tuple[float, ...]


def signatures(trained):
    """serving_default gives the label, too; classify numbers alone, for devices."""
    width = len(trained.fitted.mean)
    inputs = {"series": tf.TensorSpec([None, None, width], tf.float32, name="series")}
    example = {"series": np.ones([2, 5, width], np.float32)}

    def classify(series):
        return classification.probabilities(trained.model(series, training=False))

    def answer(series):
        return classification.with_label(trained.fitted.labels, classify(series))

    return {
        "serving_default": Signature(answer, inputs, example),
        "classify": Signature(classify, inputs, example, lite=True, lengths=LENGTHS),
    }


def files(trained):
    """What lies beside .tflite files."""
    return {
        classification.LABELS: classification.labels_file(trained.fitted.labels),
        "series.json": json.dumps({"width": len(trained.fitted.mean)}).encode(),
    }


def open_device(folder):
    """Reads it again."""
    names = classification.read_labels(folder)
    return OnDevice(
        request=lambda record: {"series": np.asarray(record["series"], np.float32)[None]},
        answer=lambda outputs: classification.device_answer(names, outputs),
    )


SERVING = Serving(
    fields={"series": Array((None, None), meaning="a series, [steps][numbers]")},
    answer=Answer,
    signatures=signatures,
    device=Device(files=files, open=open_device),
    show=classification.show,
)
