"""How a trained model is asked: a whole clip, or frames as they come."""

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Stream, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.data.clip_field import ClipField, read_clip
from rnnsuite.device import follow
from rnnsuite.tasks import classification
from rnnsuite.tasks.lengths import lengths_up_to
from rnnsuite.tasks.streams import stream_signature
from rnnsuite.tasks.videos import video_signatures

from .config import StreamConfig
from .data import Fitted, check_record
from .model import causal, shares

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

SETTINGS = "clip.json"
"""The file with what a frame and a step are, beside .tflite files."""
LONGEST = 1024
"""Frames that a file of static shapes takes at most."""
EXAMPLE = 16
"""Steps of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a clip shows.

    Args:
        label: the class.
        probabilities: of every class, in the order of labels.txt.
        weights: attention of every step.
    """

    label: str
    probabilities: tuple[float, ...]
    weights: tuple[float, ...]


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default, clip and causal take `values` `[batch, frames, numbers]`: the first two read
    them in both directions, causal as a stream would. stream takes the frames of the next step
    `[batch, hop, numbers]` and the states.

    Clips of different lengths share a batch when zeros stand behind the shorter ones.

    Args:
        trained: the model.

    Returns:
        Signatures by name. The first gives what `Answer` says, and so do those of
        `video_signatures`; clip, for devices, the same without a label; causal and stream the
        `probabilities` `[batch, steps, classes]` of what was seen up to each step, and stream the
        new states.
    """
    fitted = trained.fitted
    chain = causal(trained.model)

    def clip(values):
        outputs = trained.model(values, training=False)
        probabilities = shares(trained.config.model, outputs)
        return {"probabilities": probabilities, "weights": outputs["weights"]}

    def serve(values):
        return classification.with_label(fitted.labels, clip(_checked(values, fitted.hop)))

    def follow_whole(values):
        values = _checked(values, fitted.hop)
        logits, _ = chain.stream(values, chain.zeros(tf.shape(values)[0]))
        return {"probabilities": tf.nn.softmax(logits)}

    def stream(values, **states):
        logits, after = chain.stream(values, states)
        return {"probabilities": tf.nn.softmax(logits), **after}

    whole = {"values": tf.TensorSpec([None, None, fitted.width], tf.float32, name="values")}
    count = EXAMPLE * fitted.hop
    wave = np.sin(np.arange(count * fitted.width, dtype=np.float32)) * 0.5
    example = {"values": wave.reshape(1, count, fitted.width) * np.array(fitted.spread, np.float32)}
    shape = [fitted.hop, fitted.width]
    lengths = lengths_up_to(LONGEST, grain=fitted.hop)
    return {
        "serving_default": Signature(serve, whole, example),
        "clip": Signature(clip, whole, example, lite=True, lengths=lengths),
        "causal": Signature(follow_whole, whole, example),
        "stream": stream_signature(stream, "values", shape, chain.states),
        **video_signatures(trained.config.data.video, fitted.width, serve),
    }


def _checked(values: tf.Tensor, hop: int) -> tf.Tensor:
    """Values that a step fits into, without infinite ones."""
    enough = tf.debugging.Assert(
        tf.shape(values)[1] >= hop, [f"at least the {hop} frames of a step"]
    )
    finite = tf.debugging.Assert(
        tf.reduce_all(~tf.math.is_inf(values)), ["values must not be infinite"]
    )
    with tf.control_dependencies([enough, finite]):
        return tf.identity(values)


def device_files(trained: Trained) -> dict[str, bytes]:
    """Class names, and what a frame and a step are."""
    fitted = trained.fitted
    settings = {"width": fitted.width, "joints": fitted.joints, "hop": fitted.hop}
    return {
        classification.LABELS: classification.labels_file(fitted.labels),
        SETTINGS: (json.dumps(settings) + "\n").encode(),
        "follow.py": pathlib.Path(follow.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A record as `values` `[1, frames, numbers]`, or as those of one step after the other."""
    labels = classification.read_labels(folder)
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    hop = settings["hop"]

    def request(record: Record) -> dict[str, np.ndarray]:
        values = np.asarray(record["values"], np.float32)
        if values.ndim != 2 or values.shape[1] != settings["width"] or len(values) < hop:
            raise UserError(
                f"values [at least {hop}, {settings['width']}] are expected, not "
                f"{list(values.shape)}"
            )
        return {"values": values[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {**classification.device_answer(labels, outputs), "weights": outputs["weights"][0]}

    def chunks(record: Record) -> list[dict[str, np.ndarray]]:
        return [*_steps(request(record)["values"][0], hop)]

    return OnDevice(request, answer, chunks, signature="clip")


def _steps(values: np.ndarray, hop: int) -> Iterator[dict[str, np.ndarray]]:
    for place in range(0, len(values) // hop * hop, hop):
        yield {"values": values[None, place : place + hop]}


def chunks(source: str, config: "Config", fitted: Fitted) -> Iterator[dict[str, np.ndarray]]:
    """The frames of one step after the other, of a clip's file. Raises UserError."""
    values = read_clip(pathlib.Path(source).expanduser())
    check_record({"values": values}, fitted)
    yield from _steps(values, fitted.hop)


class Follower:
    """Tells a stream's class whenever it becomes another one.

    Args:
        config: gives the probability from which one is named.
        fitted: gives class names and steps.
    """

    def __init__(self, config: "Config", fitted: Fitted):
        self.least = config.sections["stream"].confidence
        self.fitted = fitted
        self.frames = 0
        self.named = ""
        self.shares = np.zeros(len(fitted.labels))

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """What is said from now on, where it is something else than before."""
        changes = []
        for row in outputs["probabilities"][0]:
            self.frames += self.fitted.hop
            self.shares = row
            answer = self._answer()
            name = answer["label"] if row.max() >= self.least else ""
            if name not in ("", self.named):
                changes.append(answer)
            self.named = name
        return changes

    def end(self) -> list[dict[str, Any]]:
        """What is said of all of it."""
        return [{**self._answer(), "is_last": True}] if self.frames else []

    def _answer(self) -> dict[str, Any]:
        """The most probable class."""
        best = int(self.shares.argmax())
        return {
            "label": self.fitted.labels[best],
            "confidence": round(float(self.shares[best]), 4),
            "frames": self.frames,
        }


SERVING = Serving(
    fields={
        "values": ClipField(
            (None, None),
            meaning="frames, oldest first, each a list of numbers (of a skeleton joint by joint), "
            "null where one is missing; or the path of a .npy, .npz, .h5 or table file",
            missing=True,
        )
    },
    answer=Answer,
    signatures=signatures,
    sections={"stream": StreamConfig},
    device=Device(files=device_files, open=open_device),
    stream=Stream(section="stream", signature="stream", chunks=chunks, follow=Follower),
    show=classification.show,
)
