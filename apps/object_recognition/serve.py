"""How a trained model is asked: a picture's bytes on a server, its pixels on a device."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.fields import File, Record
from rnnsuite.device import resize
from rnnsuite.inputs import image, image_files
from rnnsuite.tasks import classification

from .config import ReportConfig

GREY = 128
"""Of the example in warm-up requests."""
SETTINGS = "picture.json"
"""The file with the size of pictures, beside .tflite files."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A picture's class.

    Args:
        label: its name.
        probabilities: of every class, in the order of labels.txt.
        weights: attention of every place, row by row.
    """

    label: str
    probabilities: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default takes `image` [batch], the bytes of files; pixels `image` [batch, size, size,
    3] of 0 to 255.

    Args:
        trained: the model.

    Returns:
        Signatures by name. Both give `probabilities` [batch, classes] in the order of labels.txt,
        and `weights` [batch, rows, columns], attention that sums to 1; the first also `label`
        [batch].
    """
    fitted = trained.fitted
    size = fitted.size

    def pixels(image):
        return classification.probabilities(trained.model(image, training=False))

    def serve(image):
        return classification.with_label(fitted.labels, pixels(_read(image, size)))

    grey = np.full([size, size, 3], GREY, np.uint8)
    content = tf.io.encode_png(grey).numpy()
    files = {"image": tf.TensorSpec([None], tf.string, name="image")}
    numbers = {"image": tf.TensorSpec([None, size, size, 3], tf.float32, name="image")}
    return {
        "serving_default": Signature(serve, files, {"image": np.array([content] * 2)}),
        "pixels": Signature(pixels, numbers, {"image": grey[None].astype(np.float32)}, lite=True),
    }


def _read(contents: tf.Tensor, size: int) -> tf.Tensor:
    return image.images(contents, size)


def device_files(trained: Trained) -> dict[str, bytes]:
    """Class names, the size of pictures, and the reference for pixels."""
    fitted = trained.fitted
    return {
        classification.LABELS: classification.labels_file(fitted.labels),
        SETTINGS: (json.dumps({"size": fitted.size}) + "\n").encode(),
        "resize.py": pathlib.Path(resize.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A picture's bytes to `image` [1, size, size, 3]."""
    labels = classification.read_labels(folder)
    size = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["size"]
    pixels = tf.function(functools.partial(image.pixels, size=size), autograph=False)

    def request(record: Record) -> dict[str, np.ndarray]:
        return {"image": pixels(tf.constant(record["image"])).numpy()[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {**classification.device_answer(labels, outputs), "weights": outputs["weights"][0]}

    return OnDevice(request, answer)


SERVING = Serving(
    fields={"image": File(image_files.read, "an image file: JPEG, PNG, GIF or BMP")},
    answer=Answer,
    signatures=signatures,
    sections={"report": ReportConfig},
    device=Device(files=device_files, open=open_device),
    show=classification.show,
)
