"""How a trained model is asked: WAV bytes on a server, samples on a device, 20 ms after the other in a stream."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Annotated, Any

import keras
import numpy as np
import pydantic
import tensorflow as tf

from apps.speech_commands.data import SILENCE, STEP, TAIL, UNKNOWN, Fitted
from apps.speech_commands.model import stream
from rnnsuite.app import OnDevice, Signature, Stream
from rnnsuite.config import NotNegative, section
from rnnsuite.errors import UserError
from rnnsuite.events import Detector
from rnnsuite.inputs import audio, recording, wave


@dataclasses.dataclass(frozen=True)
class Answer:
    """A sound's word, the probability of every word, in the order of labels.txt, and of every 20 ms its weight."""

    label: str
    probabilities: tuple[float, ...]
    weights: tuple[float, ...]


def requests(values: Sequence[str]) -> list[dict[str, bytes]]:
    """A record for each path of a sound file. Raises UserError where one cannot be read."""
    return [{"audio": _content(pathlib.Path(value).expanduser())} for value in values]


def _content(path: pathlib.Path) -> bytes:
    if not path.is_file():
        raise UserError(f"There is no sound file {path}.")
    try:
        content = recording.as_wav(path)
        wave.read(content)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}.") from error
    return content


def signatures(model: keras.Model, fitted: Fitted) -> dict[str, Signature]:
    """serving_default takes `audio` [batch], WAV bytes; waveform `samples` [batch, n] at 16 kHz, of any length;
    clip just as many as the model hears; stream the next 20 ms and the states.

    All but stream: `label` [batch] (not of clip), `probabilities` [batch, classes] in the
    order of labels.txt, and `weights` [batch, steps], attention that sums to 1. stream:
    `probabilities` of the step that ends with these samples, and the new states.
    """
    count, labels = fitted.clip_samples, tf.constant(fitted.labels)
    content = {"audio": tf.TensorSpec([None], tf.string, name="audio")}
    samples = {"samples": tf.TensorSpec([None, None], tf.float32, name="samples")}
    exact = {"samples": tf.TensorSpec([None, count], tf.float32, name="samples")}

    def clip(samples):
        outputs = model(samples, training=False)
        return {"probabilities": tf.nn.softmax(outputs["logits"]), "weights": outputs["weights"]}

    # A function of its own, so that two signatures share one graph.
    @tf.function(input_signature=list(exact.values()))
    def answer(samples):
        found = clip(samples)
        return {"label": tf.gather(labels, tf.argmax(found["probabilities"], axis=-1)), **found}

    def serve(audio):
        return answer(_clips(audio, count))

    def waveform(samples):
        sound = tf.clip_by_value(tf.where(tf.math.is_finite(samples), samples, 0.0), -1.0, 1.0)
        return answer(tf.map_fn(functools.partial(_fit, count=count), sound))

    tone = (0.1 * np.sin(np.arange(count) * 0.2)).astype(np.float32)
    found = {
        "serving_default": Signature(serve, content, {"audio": np.array([wave.write(tone)] * 2)}),
        "waveform": Signature(waveform, samples, {"samples": np.stack([tone] * 2)}),
        "clip": Signature(clip, exact, {"samples": np.stack([tone] * 2)}, lite=True),
    }
    chain = stream(model)
    if chain:
        found["stream"] = _stream(chain)
    return found


def _clips(contents, count):
    return tf.ensure_shape(audio.clips(contents, count), [None, count])


def _fit(samples, count):
    return tf.ensure_shape(audio.fit(samples, count), [count])


def _stream(chain) -> Signature:
    shapes = {"samples": [STEP], **chain.states()}
    inputs = {name: tf.TensorSpec([None, *shape], tf.float32, name=name) for name, shape in shapes.items()}

    def step(samples, **states):
        new = chain.chunk(samples, **states)
        return {"probabilities": tf.nn.softmax(new.pop("output")[:, -1]), **new}

    example = {name: np.zeros([2, *shape], np.float32) for name, shape in shapes.items()}
    return Signature(step, inputs, example, lite=True)


def device_files(fitted: Fitted) -> dict[str, bytes]:
    """Labels, sizes, and the reference for WAV files and events, to lie beside the .tflite files."""
    settings = {"clip_samples": fitted.clip_samples, "rate": wave.RATE, "stream_samples": STEP}
    return {
        "labels.txt": "".join(f"{label}\n" for label in fitted.labels).encode(),
        "sound.json": (json.dumps(settings) + "\n").encode(),
        "sound.py": resources.files("rnnsuite.inputs").joinpath("wave.py").read_bytes(),
        "events.py": resources.files("rnnsuite").joinpath("events.py").read_bytes(),
    }


def on_device(folder: pathlib.Path) -> OnDevice:
    """WAV bytes to `samples` [1, clip_samples], or [1, 320] piece by piece; `probabilities` to a label."""
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    count = json.loads((folder / "sound.json").read_text(encoding="utf-8"))["clip_samples"]

    def request(record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {"samples": wave.clip(record["audio"], count)[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        probabilities = outputs["probabilities"][0]
        label = labels[int(probabilities.argmax())].encode()
        return {"label": label, "probabilities": probabilities, "weights": outputs["weights"][0]}

    def pieces(record: Mapping[str, Any]) -> list[dict[str, np.ndarray]]:
        return [{"samples": piece[None]} for piece in request(record)["samples"][0].reshape(-1, STEP)]

    return OnDevice(request, answer, pieces, signature="clip")


@section
class Events:
    """How a stream's probabilities become events; see `rnnsuite.events.Detector`. All but the threshold in seconds."""

    smoothing: Annotated[float, pydantic.Field(gt=0)] = 0.2
    threshold: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    pause: Annotated[float, pydantic.Field(gt=0)] = 0.1
    shortest: NotNegative = 0.08
    longest: Annotated[float, pydantic.Field(gt=0)] = 2.0
    refractory: NotNegative = 0.3
    lead: NotNegative = 0.0
    tail: NotNegative = TAIL


def pieces(source: str) -> Iterator[dict[str, np.ndarray]]:
    """20 ms after the other of a sound file, or of the microphone. Raises UserError."""
    path = pathlib.Path(source).expanduser()
    if source != "microphone" and not path.is_file():
        raise UserError(f'There is no sound file {source}; give one, or "microphone".')
    blocks = recording.microphone(STEP) if source == "microphone" else recording.blocks(path, STEP)
    try:
        for block in blocks:
            yield {"samples": block[None]}
    except ValueError as error:
        raise UserError(f"{source}: {error}") from error


class Follower:
    """Feeds a stream's answers to the detector and gives events as mappings."""

    def __init__(self, settings: Events, fitted: Fitted):
        background = [name for name in (SILENCE, UNKNOWN) if name in fitted.labels]
        self.detector = Detector(fitted.labels, background, STEP / wave.RATE, **dataclasses.asdict(settings))

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        return [dataclasses.asdict(event) for event in self.detector.feed(outputs["probabilities"])]

    def end(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(event) for event in self.detector.end()]


STREAM = Stream(settings=Events, signature="stream", pieces=pieces, follow=Follower)
