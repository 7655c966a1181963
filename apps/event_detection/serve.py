"""How a trained model is asked: a whole recording on a server, step by step in a stream."""

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
from rnnsuite.data.recording_layouts import read_recording
from rnnsuite.data.recordings import RecordingsConfig
from rnnsuite.device import events as device_events
from rnnsuite.device import follow
from rnnsuite.tasks.detection import events
from rnnsuite.tasks.detection.fields import SeriesField
from rnnsuite.tasks.streams import stream_signature

from .config import DetectConfig
from .data import Fitted
from .model import causal
from .windows import in_windows

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

SETTINGS = "detect.json"
"""The file with classes, steps and rules, beside .tflite files."""
EXAMPLE = 16
"""Steps of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What happens in a recording.

    Args:
        probabilities: of every step and each class, the background first.
        event: of every step and each class but the background: the number of the event of this
            class that the step is in, 0 outside of any.
        confidence: of every step and each such class: the mean probability of that event, or 0.
    """

    probabilities: tuple[tuple[float, ...], ...]
    event: tuple[tuple[int, ...], ...]
    confidence: tuple[tuple[float, ...], ...]


def rules_of(settings: DetectConfig, fitted: Fitted, exclusive: bool) -> events.Rules:
    """The rules of events, in steps."""
    return events.Rules(
        threshold=settings.threshold,
        pause=fitted.steps(settings.pause),
        shortest=fitted.steps(settings.shortest),
        exclusive=exclusive,
    )


def shares(logits: tf.Tensor, fitted: Fitted, exclusive: bool) -> tf.Tensor:
    """Logits to probabilities.

    Args:
        logits: `[..., outputs]`, see `model.build`.
        fitted: says which classes are events.
        exclusive: whether one thing happens at a time.

    Returns:
        `[..., 1 + labels]`, the background first. Classes that are no events belong to it; where
        several can be at once, it is what the most probable one leaves.
    """
    count = len(fitted.labels)
    if exclusive:
        classes = tf.nn.softmax(logits)[..., 1 : 1 + count]
        return tf.concat([1 - tf.reduce_sum(classes, axis=-1, keepdims=True), classes], axis=-1)
    classes = tf.sigmoid(logits[..., :count])
    return tf.concat([1 - tf.reduce_max(classes, axis=-1, keepdims=True), classes], axis=-1)


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default and causal take `values` `[batch, samples, channels]`: the former reads them
    in both directions, the latter as a stream would. stream takes the samples of the next step
    `[batch, hop, channels]` and the states.

    Args:
        trained: the model, with the section detect.

    Returns:
        Signatures by name. The first two give what `Answer` says; stream the `probabilities`
        `[batch, 1, 1 + classes]` of the step that is `look_ahead` before, and the new states.
    """
    fitted = trained.fitted
    config = trained.config.model
    model = trained.model
    chain = causal(model)
    rules = rules_of(trained.section(DetectConfig), fitted, config.exclusive)
    channels = len(fitted.mean)

    def checked(values):
        message = f"at least the {fitted.hop} samples of a step"
        enough = tf.debugging.assert_greater_equal(tf.shape(values)[1], fitted.hop, message)
        finite = tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(values)), ["values must be finite numbers"]
        )
        with tf.control_dependencies([enough, finite]):
            count = tf.shape(values)[1] // fitted.hop * fitted.hop
            return tf.identity(values)[:, :count]

    def answer(probabilities):
        return {"probabilities": probabilities, **events.of_shares(probabilities, rules)}

    def serve(values):
        def network(samples):
            return model(samples, training=False)["whole"]

        logits = in_windows(network, checked(values), fitted.hop, fitted.window)
        return answer(shares(logits, fitted, config.exclusive))

    def follow_whole(values):
        values = checked(values)
        logits, _ = chain.stream(values, chain.zeros(tf.shape(values)[0]))
        return answer(_earlier(shares(logits, fitted, config.exclusive), fitted.look_ahead))

    def stream(values, **states):
        logits, after = chain.stream(values, states)
        return {"probabilities": shares(logits, fitted, config.exclusive), **after}

    whole = {"values": tf.TensorSpec([None, None, channels], tf.float32, name="values")}
    count = EXAMPLE * fitted.hop
    wave = np.sin(np.arange(count * channels, dtype=np.float32)).reshape(1, count, channels)
    wave = wave * np.array(fitted.deviation, np.float32) + np.array(fitted.mean, np.float32)
    return {
        "serving_default": Signature(serve, whole, {"values": wave}),
        "causal": Signature(follow_whole, whole, {"values": wave}),
        "stream": stream_signature(stream, "values", [fitted.hop, channels], chain.states),
    }


def _earlier(probabilities: tf.Tensor, steps: int) -> tf.Tensor:
    """What was said so many steps later; of the last ones nothing is said but background."""
    rest = probabilities[:, steps:]
    missing = tf.shape(probabilities)[1] - tf.shape(rest)[1]
    nothing = tf.one_hot(tf.zeros([tf.shape(rest)[0], missing], tf.int32), rest.shape[-1])
    return tf.concat([rest, nothing], axis=1)


def device_files(trained: Trained) -> dict[str, bytes]:
    """Classes, steps and rules, and the code that follows a stream and tells events."""
    fitted = trained.fitted
    config = trained.config.model
    rules = rules_of(trained.section(DetectConfig), fitted, config.exclusive)
    values = {
        "labels": fitted.labels,
        "rate": fitted.rate,
        "hop": fitted.hop,
        "channels": len(fitted.mean),
        "look_ahead": fitted.look_ahead,
        "rules": dataclasses.asdict(rules),
    }
    return {
        SETTINGS: (json.dumps(values, indent=1) + "\n").encode(),
        "follow.py": pathlib.Path(follow.__file__).read_bytes(),
        "events.py": pathlib.Path(device_events.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A record as whole steps of samples `[1, n, channels]`, fed step by step."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    hop = settings["hop"]
    ahead = settings["look_ahead"]
    rules = events.Rules(**settings["rules"])

    def request(record: Record) -> dict[str, np.ndarray]:
        values = np.asarray(record["values"], np.float32)
        if values.ndim != 2 or values.shape[1] != settings["channels"] or len(values) < hop:
            raise UserError(
                f"values [at least {hop}, {settings['channels']}] are expected, not "
                f"{list(values.shape)}"
            )
        return {"values": values[None, : len(values) // hop * hop]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        late = outputs["probabilities"][0]
        probabilities = np.zeros_like(late)
        probabilities[:, 0] = 1.0
        rest = late[ahead:]
        probabilities[: len(rest)] = rest
        return {"probabilities": probabilities, **events.of_rows(probabilities, rules)}

    def chunks(record: Record) -> list[dict[str, np.ndarray]]:
        parts = request(record)["values"][0].reshape(-1, hop, settings["channels"])
        return [{"values": part[None]} for part in parts]

    return OnDevice(
        request, answer, chunks, signature="stream", reference_signature="causal", runner=follow
    )


class Follower:
    """Feeds a stream's probabilities to the rules and gives events as mappings.

    Args:
        config: gives the rules.
        fitted: gives classes and steps, and how many of them the model waits.
    """

    def __init__(self, config: "Config", fitted: Fitted):
        rules = rules_of(config.sections["detect"], fitted, config.model.exclusive)
        self.rules = events.Following(rules, fitted.labels)
        self.step = fitted.step
        self.late = fitted.look_ahead

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """The events that end with these outputs."""
        return [self._answer(event) for event in self.rules.feed(outputs["probabilities"][0])]

    def end(self) -> list[dict[str, Any]]:
        """The events that the end of the recording ends."""
        return [self._answer(event) for event in self.rules.end()]

    def _answer(self, event: device_events.Event) -> dict[str, Any]:
        return {
            "label": event.label,
            "start": round(max(event.start - self.late, 0.0) * self.step, 3),
            "end": round((event.end - self.late) * self.step, 3),
            "confidence": event.confidence,
        }


def show(fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """A line an event: when, which, and how sure."""
    happened = events.of_answer(answer, fitted.labels, fitted.step)
    return [
        f"{event.start:.2f} to {event.end:.2f} s  {event.label} {event.confidence:.2f}"
        for event in happened
    ] or ["no event"]


def chunks(source: str, config: "Config", fitted: Fitted) -> Iterator[dict[str, np.ndarray]]:
    """The samples of one step after the other, of a recording. Raises UserError."""
    path = pathlib.Path(source).expanduser()
    if not path.is_file():
        raise UserError(f"There is no recording {source}.")
    values, _ = read_recording(path, RecordingsConfig(rate=fitted.rate))
    for place in range(0, len(values) // fitted.hop * fitted.hop, fitted.hop):
        yield {"values": values[None, place : place + fitted.hop]}


SERVING = Serving(
    fields={
        "values": SeriesField(
            (None, None),
            meaning="samples, oldest first, each a list of the channels' values, at the model's "
            "rate; or a table's path",
        )
    },
    answer=Answer,
    signatures=signatures,
    sections={"detect": DetectConfig},
    device=Device(files=device_files, open=open_device),
    stream=Stream(
        section="detect", signature="stream", chunks=chunks, follow=Follower, is_shared=True
    ),
    show=show,
)
