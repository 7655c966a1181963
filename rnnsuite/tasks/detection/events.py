"""Events in the scores of a whole series, as operations of a graph and as numbers.

The rules are those of `rnnsuite.device.events.Detector`, which follows a stream.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.data.channels import runs
from rnnsuite.device.events import Detector, Event

NORMAL = "normal"
ANOMALY = "anomaly"
ENDLESS = float(2**40)
"""Steps, or seconds, of which no event has as many."""


@dataclasses.dataclass(frozen=True)
class Rules:
    """How probabilities at every step become events.

    Args:
        threshold: mean probability of its class from which an event counts.
        pause: steps of background after which an event has ended.
        shortest: steps; a shorter event does not count.
        exclusive: whether one thing happens at a time. An event is then what stands between two
            pauses, and of the class that is the most probable in it; otherwise every class has
            events of its own.
    """

    threshold: float
    pause: int
    shortest: int
    exclusive: bool = True

    def detector(self, labels: Sequence[str], background: str = NORMAL) -> Detector:
        """A `Detector` by these rules, whose seconds are steps."""
        return Detector(
            [background, *labels],
            [background],
            step=1.0,
            smoothing=ENDLESS,
            threshold=self.threshold,
            pause=self.pause,
            shortest=self.shortest,
            longest=ENDLESS,
            refractory=0.0,
        )


def detector(pause: int, shortest: int) -> Detector:
    """The rules for anomalies: any step from the threshold on begins or keeps up an event.

    Args:
        pause: steps below the threshold after which an event has ended.
        shortest: steps; a shorter event does not count.
    """
    return Rules(threshold=0.0, pause=pause, shortest=shortest).detector([ANOMALY])


def shares(scores: np.ndarray, threshold: float) -> np.ndarray:
    """What a `Detector` takes of scores.

    Args:
        scores: `[time]`, from 0 on.
        threshold: score from which on a step is an anomaly.

    Returns:
        The share of normal and of anomaly `[time, 2]`, one half of each at the threshold.
    """
    anomaly = scores / np.maximum(scores + threshold, np.finfo(np.float32).tiny)
    anomaly = np.where(scores >= threshold, np.maximum(anomaly, 0.5), np.minimum(anomaly, 0.4999))
    return np.stack([1 - anomaly, anomaly], axis=1)


def spans(is_anomaly: np.ndarray, pause: int, shortest: int) -> list[tuple[int, int]]:
    """First and last step of the events in a whole series, by the same rules.

    Args:
        is_anomaly: `[time]`, whether a step reaches the threshold.
        pause: steps below it after which an event has ended.
        shortest: steps; a shorter event does not count.
    """
    places = np.flatnonzero(is_anomaly)
    parts = np.split(places, np.flatnonzero(np.diff(places) > pause) + 1)
    pairs = [(int(part[0]), int(part[-1])) for part in parts if len(part)]
    return [(first, last) for first, last in pairs if last - first + 1 >= shortest]


def numbered(is_anomaly: tf.Tensor, pause: int, shortest: int) -> tf.Tensor:
    """Which event every step is in.

    Args:
        is_anomaly: `[batch, time]`, whether a step reaches the threshold.
        pause: steps below it after which an event has ended.
        shortest: steps; a shorter event does not count.

    Returns:
        int32 `[batch, time]`: 0 outside of events, 1 in the first one of a series, and so on. From
        its first step that reaches the threshold to its last.
    """
    return tf.map_fn(
        lambda row: _numbered(row, pause, shortest),
        is_anomaly,
        fn_output_signature=tf.TensorSpec([None], tf.int32),
    )


def _numbered(row: tf.Tensor, pause: int, shortest: int) -> tf.Tensor:
    time = tf.size(row, tf.int64)
    places = tf.where(row)[:, 0]
    nothing = tf.fill([1], tf.constant(-1, tf.int64) - pause)
    distance = places - tf.concat([nothing, places[:-1]], axis=0)
    is_first = distance > pause
    count = tf.reduce_sum(tf.cast(is_first, tf.int32))
    event = tf.cumsum(tf.cast(is_first, tf.int32)) - 1
    starts = tf.boolean_mask(places, is_first)
    ends = tf.math.unsorted_segment_max(places, event, count)
    is_long = ends - starts + 1 >= shortest
    steps = tf.range(time)
    begun = tf.searchsorted(tf.boolean_mask(starts, is_long), steps, side="right")
    ended = tf.searchsorted(tf.boolean_mask(ends, is_long), steps, side="left")
    return tf.where(begun > ended, begun, tf.zeros_like(begun))


def of_shares(probabilities: tf.Tensor, rules: Rules) -> dict[str, tf.Tensor]:
    """The events in the probabilities of whole recordings.

    Args:
        probabilities: `[batch, time, 1 + classes]`, the background first.
        rules: of events.

    Returns:
        `event` `[batch, time, classes]`, int32, the number of the event of each class that a step
        is in, 0 outside of any, and `confidence`, its mean probability, of the same shape.
    """
    named = _exclusive if rules.exclusive else _several
    classes = tf.unstack(probabilities, axis=-1)[1:]
    event, confidence = tf.map_fn(
        lambda rows: named(rows, rules),
        probabilities,
        fn_output_signature=(
            tf.TensorSpec([None, len(classes)], tf.int32),
            tf.TensorSpec([None, len(classes)], tf.float32),
        ),
    )
    return {"event": event, "confidence": confidence}


def _exclusive(rows: tf.Tensor, rules: Rules) -> tuple[tf.Tensor, tf.Tensor]:
    """Events of one recording, each of the class that is the most probable in it."""
    number = _numbered(rows[:, 0] <= 0.5, rules.pause, rules.shortest)
    count = tf.reduce_max(tf.pad(number, [[0, 1]]))
    means = tf.math.unsorted_segment_mean(rows, number, count + 1)[:, 1:]
    label = tf.argmax(means, axis=-1, output_type=tf.int32)
    highest = tf.reduce_max(means, axis=-1)
    is_event = (highest >= rules.threshold) & (tf.range(count + 1) > 0)
    classes = tf.one_hot(label, means.shape[-1], dtype=tf.int32)
    classes *= tf.cast(is_event, tf.int32)[:, None]
    numbers = tf.cumsum(classes) * classes
    confidence = tf.cast(classes, tf.float32) * highest[:, None]
    return tf.gather(numbers, number), tf.gather(confidence, number)


def _several(rows: tf.Tensor, rules: Rules) -> tuple[tf.Tensor, tf.Tensor]:
    """Events of one recording, of every class by itself."""
    classes = tf.unstack(rows[:, 1:], axis=-1)
    parts = [_exclusive(tf.stack([1 - p, p], axis=-1), rules) for p in classes]
    events, confidences = zip(*parts, strict=True)
    return tf.concat(events, axis=-1), tf.concat(confidences, axis=-1)


class Following:
    """Events in probabilities as they come, by rules: of one `Detector`, or of one for each class
    where several can be at once.

    Args:
        rules: of events.
        labels: of the classes.
    """

    def __init__(self, rules: Rules, labels: Sequence[str]):
        self.exclusive = rules.exclusive
        groups = [list(labels)] if rules.exclusive else [[label] for label in labels]
        self.detectors = [rules.detector(group) for group in groups]

    def feed(self, probabilities: np.ndarray) -> list[Event]:
        """The events that end within these rows `[time, 1 + classes]`, in steps."""
        if self.exclusive:
            return self.detectors[0].feed(probabilities)
        columns = np.asarray(probabilities)[:, 1:].T
        pairs = zip(self.detectors, columns, strict=True)
        return [event for rule, p in pairs for event in rule.feed(np.stack([1 - p, p], axis=1))]

    def end(self) -> list[Event]:
        """The events that the end of the recording ends."""
        return [event for rule in self.detectors for event in rule.end()]


def of_rows(probabilities: np.ndarray, rules: Rules) -> dict[str, np.ndarray]:
    """What `of_shares` gives, of one recording, by `Following` and numpy alone.

    Args:
        probabilities: `[time, 1 + classes]`.
        rules: of events.
    """
    count = probabilities.shape[1] - 1
    numbers = np.zeros([len(probabilities), count], np.int32)
    confidence = np.zeros([len(probabilities), count], np.float32)
    following = Following(rules, [str(place) for place in range(count)])
    for event in [*following.feed(probabilities), *following.end()]:
        part = slice(int(event.start), int(event.end))
        place = int(event.label)
        numbers[part, place] = numbers[:, place].max() + 1
        # A detector rounds it.
        confidence[part, place] = probabilities[part, 1 + place].mean()
    return {"event": numbers, "confidence": confidence}


def of_answer(answer: Mapping[str, Any], labels: Sequence[str], step: float) -> list[Event]:
    """The events of an answer, in the order of their beginnings.

    Args:
        answer: `event` and `confidence` `[time, classes]`.
        labels: of the classes.
        step: seconds of a step.
    """
    numbers = np.asarray(answer["event"])
    confidence = np.asarray(answer["confidence"])
    events = []
    for place, label in enumerate(labels):
        column = numbers[:, place]
        # Two events of one class may touch.
        edges = np.flatnonzero(np.diff(column, prepend=0, append=0))
        for first, end in itertools.pairwise(edges):
            if column[first]:
                share = float(confidence[first, place])
                events.append(Event(label, first * step, end * step, share))
    return sorted(events, key=lambda event: (event.start, event.label))


def of_numbers(numbers: np.ndarray, label: str = ANOMALY) -> list[Event]:
    """The events that steps are numbered with, from first step to last one.

    Args:
        numbers: `[time]`, as `numbered` gives them.
        label: of all.
    """
    events = []
    for number in range(1, int(numbers.max(initial=0)) + 1):
        for first, last in runs(numbers == number):
            events.append(Event(label, float(first), float(last), 1.0))
    return events
