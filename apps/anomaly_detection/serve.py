"""How a trained model is asked: whole series on a server, one observation after another in a
stream.
"""

import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Stream, Trained
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.data.channels import ChannelsConfig, read_table
from rnnsuite.device import events as device_events
from rnnsuite.device import follow
from rnnsuite.layers import Chain
from rnnsuite.layers.extremes import Rising
from rnnsuite.tasks.detection import events
from rnnsuite.tasks.detection.fields import SeriesField
from rnnsuite.tasks.detection.thresholds import Largest
from rnnsuite.tasks.streams import stream_signature

from .config import DetectConfig
from .data import Fitted
from .stream import scores

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

SETTINGS = "detect.json"
"""The file with channels, threshold and rules, beside .tflite files."""
EXAMPLE = 24
"""Observations of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was found in a series.

    Args:
        score: of every observation, in nats: how unlikely it is beside those before it.
        threshold: of every observation: the score from which on it is an anomaly.
        alarm: whether to say something at an observation: its score reaches the threshold and is
            larger than all in the time of silence before it.
        rising: the score where it is larger than those, otherwise 0.
        event: the number of the event that an observation is in, 0 outside of any.
        channels: of every observation and scored channel, its part: the score is the largest.
    """

    score: tuple[float, ...]
    threshold: tuple[float, ...]
    alarm: tuple[bool, ...]
    rising: tuple[float, ...]
    event: tuple[int, ...]
    channels: tuple[tuple[float, ...], ...]


def threshold_of(settings: DetectConfig, calibration: Mapping[str, Any]) -> float:
    """The score from which on an observation is an anomaly."""
    if settings.threshold == "fixed":
        return settings.level
    largest = Largest.read(calibration["scores"])
    return largest.threshold(settings.threshold, settings.risk)


class Scores:
    """What both signatures give of values, but the events.

    Args:
        trained: the model, with the section detect.
    """

    def __init__(self, trained: Trained):
        settings = trained.section(DetectConfig)
        self.chain = Chain(scores=scores(trained.model, trained.config.model, trained.fitted))
        self.rising = Chain(rising=Rising(settings.silence))
        self.threshold = threshold_of(settings, trained.calibration)
        self.states = {**self.chain.states, **self.rising.states}

    def __call__(self, values: tf.Tensor, states: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        channels, after = self.chain.stream(values, states)
        score = tf.reduce_max(channels, axis=-1)
        rising, silent = self.rising.stream(score[..., None], states)
        rising = rising[..., 0]
        return {
            "score": score,
            "rising": rising,
            "threshold": tf.fill(tf.shape(score), tf.constant(self.threshold, tf.float32)),
            "alarm": rising >= self.threshold,
            "channels": channels,
            **after,
            **silent,
        }


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default takes `values` `[batch, time, channels]`, NaN where one is missing; stream
    the next observation `[batch, 1, channels]` and the states.

    Args:
        trained: the model, with the threshold's calibration.

    Returns:
        Signatures by name. Both give what `Answer` says; stream all but the event, and the new
        states.
    """
    channels = len(trained.fitted.names)
    settings = trained.section(DetectConfig)
    parts = Scores(trained)

    def serve(values):
        shape = tf.shape(values)
        checks = [tf.debugging.assert_positive(shape[1], "at least one observation")]
        with tf.control_dependencies(checks):
            values = tf.identity(values)
        outputs = parts(values, {**parts.chain.zeros(shape[0]), **parts.rising.zeros(shape[0])})
        answer = {name: outputs[name] for name in outputs if name not in parts.states}
        is_anomaly = answer["score"] >= parts.threshold
        return {**answer, "event": events.numbered(is_anomaly, settings.pause, settings.shortest)}

    def stream(values, **states):
        return parts(values, states)

    wave = np.sin(np.arange(EXAMPLE * channels, dtype=np.float32)).reshape(1, EXAMPLE, channels)
    whole = {"values": tf.TensorSpec([None, None, channels], tf.float32, name="values")}
    return {
        "serving_default": Signature(serve, whole, {"values": wave}),
        "stream": stream_signature(stream, "values", [1, channels], parts.states),
    }


def device_files(trained: Trained) -> dict[str, bytes]:
    """Channels and rules, and the code that follows a stream and tells events."""
    settings = trained.section(DetectConfig)
    values = {
        "names": trained.fitted.names,
        "scored": [trained.fitted.names[place] for place in trained.fitted.scored],
        "threshold": threshold_of(settings, trained.calibration),
        "pause": settings.pause,
        "shortest": settings.shortest,
    }
    return {
        SETTINGS: (json.dumps(values, indent=1) + "\n").encode(),
        "follow.py": pathlib.Path(follow.__file__).read_bytes(),
        "events.py": pathlib.Path(device_events.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A record as values `[1, time, channels]`, fed step by step."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    channels = len(settings["names"])

    def request(record: Record) -> dict[str, np.ndarray]:
        values = np.asarray(record["values"], np.float32)
        if values.ndim != 2 or values.shape[1] != channels or not len(values):
            raise UserError(f"values [time, {channels}] are expected, not {list(values.shape)}")
        return {"values": values[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        whole = {name: value[0] for name, value in outputs.items()}
        event = np.zeros(len(whole["score"]), np.int32)
        is_anomaly = whole["score"] >= np.float32(settings["threshold"])
        spans = events.spans(is_anomaly, settings["pause"], settings["shortest"])
        for number, (first, last) in enumerate(spans, 1):
            event[first : last + 1] = number
        return {**whole, "event": event}

    def chunks(record: Record) -> list[dict[str, np.ndarray]]:
        return [{"values": row[None, None]} for row in request(record)["values"][0]]

    return OnDevice(request, answer, chunks, signature="stream", runner=follow)


def chunks(source: str, config: "Config", fitted: Fitted) -> Iterator[dict[str, np.ndarray]]:
    """One observation after the other.

    Args:
        source: a table's path, or - for standard input, of which each line is a row of numbers
            between commas, without a header.
        fitted: gives the channels.

    Yields:
        `values` `[1, 1, channels]`.

    Raises:
        UserError: for a table that is not there, what is no number, and other channels.
    """
    if source == "-":
        lines = (line for line in sys.stdin if line.strip())
        rows = (_numbers(line, number) for number, line in enumerate(lines, 1))
    else:
        path = pathlib.Path(source).expanduser()
        if not path.is_file():
            raise UserError(f"There is no table {source}; give one, or - for standard input.")
        rows = iter(read_table(path, ChannelsConfig()).values)
    for number, row in enumerate(rows, 1):
        if len(row) != len(fitted.names):
            raise UserError(
                f"observation {number} of {source} has {len(row)} values, and the model "
                f"{len(fitted.names)} channels ({', '.join(fitted.names)[:80]})."
            )
        yield {"values": row[None, None]}


def _numbers(line: str, number: int) -> np.ndarray:
    """Of a line of CSV; an empty cell is missing. Raises UserError."""
    cells = [cell.strip() for cell in line.split(",")]
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], np.float32)
    except ValueError as error:
        raise UserError(f"line {number}: {line.strip()[:60]!r} is no row of numbers.") from error


class Follower:
    """Feeds a stream's scores to the rules and gives events as mappings.

    Args:
        config: gives the rules.
        fitted: gives the channels' names.
    """

    def __init__(self, config: "Config", fitted: Fitted):
        settings = config.sections["detect"]
        self.names = [fitted.names[place] for place in fitted.scored]
        self.rules = events.detector(settings.pause, settings.shortest)
        # What is exported has its own threshold; a fixed one can be another.
        self.level = settings.level if settings.threshold == "fixed" else None
        self.largest = np.zeros(len(self.names))

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """The events that end with these outputs."""
        score = outputs["score"][0]
        threshold = self.level or float(outputs["threshold"][0, 0])
        ended = self.rules.feed(events.shares(score, threshold))
        answers = [self._answer(event) for event in ended]
        if (score >= threshold).any():
            self.largest = np.maximum(self.largest, outputs["channels"][0].max(axis=0))
        return answers

    def end(self) -> list[dict[str, Any]]:
        """The event that the end of the series ends."""
        return [self._answer(event) for event in self.rules.end()]

    def _answer(self, event: device_events.Event) -> dict[str, Any]:
        place = int(self.largest.argmax())
        answer = {
            "start": int(event.start),
            "end": int(event.end) - 1,
            "score": round(float(self.largest[place]), 2),
            "channel": self.names[place],
        }
        self.largest = np.zeros(len(self.names))
        return answer


def show(fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """A line an event: its first and last observation, its largest score, and whose it is."""
    numbers = np.array(answer["event"])
    score = np.array(answer["score"])
    channels = np.array(answer["channels"])
    lines = []
    for event in events.of_numbers(numbers):
        part = slice(int(event.start), int(event.end) + 1)
        place = int(channels[part].max(axis=0).argmax())
        name = fitted.names[fitted.scored[place]]
        peak = score[part].max()
        lines.append(f"anomaly from {part.start} to {part.stop - 1}, score {peak:.2f}, in {name}")
    threshold = answer["threshold"][0]
    return lines or [f"no anomaly: the largest score is {score.max():.2f} of {threshold:.2f}"]


SERVING = Serving(
    fields={
        "values": SeriesField(
            (None, None),
            missing=True,
            meaning="observations, oldest first, each a list of the channels' values, null where "
            "one is missing; or a table's path",
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
