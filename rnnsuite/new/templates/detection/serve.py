"""How a trained model is asked: series in, the events of every step out."""

import dataclasses
import json
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature
from rnnsuite.core.fields import Array
from rnnsuite.device import events as device_events
from rnnsuite.tasks.detection import events

from .config import DetectConfig

LENGTHS = (64, 256)
"""Steps of portable files' signatures."""
SETTINGS = "detect.json"
"""The file with labels and rules, beside .tflite files."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What happens in a series.

    Args:
        probabilities: of every step and each label, the background first.
        event: of every step and each label: the number of the event that the step is in, or 0.
        confidence: of every step and each label: the mean probability of that event, or 0.
    """

    probabilities: tuple[tuple[float, ...], ...]
    event: tuple[tuple[int, ...], ...]
    confidence: tuple[tuple[float, ...], ...]


def rules(settings):
    """The rules of events."""
    return events.Rules(settings.threshold, settings.pause, settings.shortest)


def signatures(trained):
    """serving_default gives the events, too; classify numbers alone, for devices."""
    width = len(trained.fitted.mean)
    inputs = {"series": tf.TensorSpec([None, None, width], tf.float32, name="series")}
    example = {"series": np.ones([2, 5, width], np.float32)}
    detected = rules(trained.section(DetectConfig))

    def classify(series):
        outputs = trained.model(series, training=False)
        return {"probabilities": tf.nn.softmax(outputs["logits"])}

    def answer(series):
        answered = classify(series)
        return {**answered, **events.of_shares(answered["probabilities"], detected)}

    return {
        "serving_default": Signature(answer, inputs, example),
        "classify": Signature(classify, inputs, example, lite=True, lengths=LENGTHS),
    }


def files(trained):
    """What lies beside .tflite files."""
    settings = {
        "labels": trained.fitted.labels,
        "width": len(trained.fitted.mean),
        "rules": dataclasses.asdict(rules(trained.section(DetectConfig))),
    }
    code = pathlib.Path(device_events.__file__).read_bytes()
    return {SETTINGS: json.dumps(settings).encode(), "events.py": code}


def open_device(folder):
    """Reads it again."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    detected = events.Rules(**settings["rules"])

    def answer(outputs):
        probabilities = outputs["probabilities"][0]
        return {"probabilities": probabilities, **events.of_rows(probabilities, detected)}

    return OnDevice(
        request=lambda record: {"series": np.asarray(record["series"], np.float32)[None]},
        answer=answer,
    )


def show(fitted, answer):
    """A line for each event: from which step to which, what, and how sure that is."""
    found = events.of_answer(answer, fitted.labels, step=1.0)
    return [
        f"steps {event.start:.0f} to {event.end - 1:.0f}  {event.label} {event.confidence:.2f}"
        for event in found
    ] or ["no event"]


SERVING = Serving(
    fields={"series": Array((None, None), meaning="a series, [steps][numbers]")},
    answer=Answer,
    signatures=signatures,
    sections={"detect": DetectConfig},
    device=Device(files=files, open=open_device),
    show=show,
)
