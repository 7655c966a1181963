"""How a trained model is asked: WAV bytes on a server, samples on a device or in a stream."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Stream, Trained
from rnnsuite.core.fields import File, Record
from rnnsuite.device import events, wave
from rnnsuite.device.events import Detector
from rnnsuite.inputs import sound_files, waveform
from rnnsuite.layers import Chain
from rnnsuite.tasks import classification
from rnnsuite.tasks.sections import EventsConfig
from rnnsuite.tasks.streams import stream_signature

from .data import UNKNOWN
from .examples import STEP, Fitted
from .model import stream as stream_of
from .noise import SILENCE

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Answer:
    """A sound's word.

    Args:
        label: the word.
        probabilities: of every class, in the order of labels.txt.
        weights: attention of every 20 ms.
    """

    label: str
    probabilities: tuple[float, ...]
    weights: tuple[float, ...]


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default takes `audio` [batch], WAV bytes; waveform `samples` [batch, n] at 16 kHz.

    clip takes as many samples as the model hears, stream the next 20 ms and the states. All but
    stream give `label` [batch] (not clip), `probabilities` [batch, classes] in the order of
    labels.txt, and `weights` [batch, steps], attention that sums to 1; stream gives the
    `probabilities` of the step that ends with these samples, and the new states.
    """
    fitted = trained.fitted
    count = fitted.clip_samples
    content = {"audio": tf.TensorSpec([None], tf.string, name="audio")}
    samples = {"samples": tf.TensorSpec([None, None], tf.float32, name="samples")}
    exact = {"samples": tf.TensorSpec([None, count], tf.float32, name="samples")}

    def clip(samples):
        return classification.probabilities(trained.model(samples, training=False))

    # A function of its own, so that two signatures share one graph.
    @tf.function(input_signature=list(exact.values()), autograph=False)
    def answer(samples):
        return classification.with_label(fitted.labels, clip(samples))

    def serve(audio):
        return answer(_clips(audio, count))

    def waveform(samples):
        finite = tf.where(tf.math.is_finite(samples), samples, 0.0)
        sound = tf.clip_by_value(finite, -1.0, 1.0)
        return answer(tf.map_fn(functools.partial(_fit, count=count), sound))

    tone = (0.1 * np.sin(np.arange(count) * 0.2)).astype(np.float32)
    two_tones = {"samples": np.stack([tone] * 2)}
    signatures_by_name = {
        "serving_default": Signature(serve, content, {"audio": np.array([wave.write(tone)] * 2)}),
        "waveform": Signature(waveform, samples, two_tones),
        "clip": Signature(clip, exact, two_tones, lite=True),
    }
    chain = stream_of(trained.model)
    if chain:
        signatures_by_name["stream"] = _stream_signature(chain)
    return signatures_by_name


def _clips(contents: tf.Tensor, count: int) -> tf.Tensor:
    return tf.ensure_shape(waveform.clips(contents, count), [None, count])


def _fit(samples: tf.Tensor, count: int) -> tf.Tensor:
    return tf.ensure_shape(waveform.fit(samples, count), [count])


def _stream_signature(chain: Chain) -> Signature:
    def step(samples, **states):
        new = chain.chunk(samples, **states)
        return {"probabilities": tf.nn.softmax(new.pop("output")[:, -1]), **new}

    return stream_signature(step, "samples", [STEP], chain.states)


def device_files(trained: Trained) -> dict[str, bytes]:
    """Labels, sizes, and the reference for WAV files and events."""
    settings = {
        "clip_samples": trained.fitted.clip_samples,
        "rate": wave.RATE,
        "stream_samples": STEP,
    }
    return {
        classification.LABELS: classification.labels_file(trained.fitted.labels),
        "sound.json": (json.dumps(settings) + "\n").encode(),
        "sound.py": pathlib.Path(wave.__file__).read_bytes(),
        "events.py": pathlib.Path(events.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """WAV bytes to `samples` [1, clip_samples], or to chunks of [1, 320]."""
    labels = classification.read_labels(folder)
    settings = json.loads((folder / "sound.json").read_text(encoding="utf-8"))

    def request(record: Record) -> dict[str, np.ndarray]:
        return {"samples": wave.clip(record["audio"], settings["clip_samples"])[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {**classification.device_answer(labels, outputs), "weights": outputs["weights"][0]}

    def chunks(record: Record) -> list[dict[str, np.ndarray]]:
        parts = request(record)["samples"][0].reshape(-1, STEP)
        return [{"samples": part[None]} for part in parts]

    return OnDevice(request, answer, chunks, signature="clip")


def chunks(source: str, config: "Config", fitted: Fitted) -> Iterator[dict[str, np.ndarray]]:
    """20 ms after the other of a sound file, or of the microphone. Raises UserError."""
    for block in sound_files.followed(source, STEP):
        yield {"samples": block[None]}


class Follower:
    """Feeds a stream's answers to the detector and gives events as mappings.

    Args:
        config: gives the detector's settings.
        fitted: gives the class names.
    """

    def __init__(self, config: "Config", fitted: Fitted):
        background = [name for name in (SILENCE, UNKNOWN) if name in fitted.labels]
        options = dataclasses.asdict(config.sections["stream"])
        self.detector = Detector(fitted.labels, background, STEP / wave.RATE, **options)

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """The events that end within these outputs."""
        return [dataclasses.asdict(event) for event in self.detector.feed(outputs["probabilities"])]

    def end(self) -> list[dict[str, Any]]:
        """The event that the end of the sound ends."""
        return [dataclasses.asdict(event) for event in self.detector.end()]


SERVING = Serving(
    fields={"audio": File(sound_files.read_sound, "a sound file: WAV, FLAC, OGG, MP3 and others")},
    answer=Answer,
    signatures=signatures,
    sections={"stream": EventsConfig},
    device=Device(files=device_files, open=open_device),
    stream=Stream(section="stream", signature="stream", chunks=chunks, follow=Follower),
    show=classification.show,
)
