"""Events in the scores of a whole series, as operations of a graph and as numbers.

The rules are those of `rnnsuite.device.events.Detector`, which follows a stream.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from rnnsuite.data.channels import runs
from rnnsuite.device.events import Detector, Event

NORMAL = "normal"
ANOMALY = "anomaly"


def detector(pause: int, shortest: int) -> Detector:
    """The rules for anomalies: any step from the threshold on begins or keeps up an event.

    Args:
        pause: steps below the threshold after which an event has ended.
        shortest: steps; a shorter event does not count.
    """
    endless = float(2**60)
    return Detector(
        [NORMAL, ANOMALY],
        [NORMAL],
        step=1.0,
        smoothing=endless,
        threshold=0.0,
        pause=pause,
        shortest=shortest,
        longest=endless,
        refractory=0.0,
    )


def shares(scores: np.ndarray, threshold: float) -> np.ndarray:
    """What a `Detector` takes: the share of normal and of anomaly `[time, 2]`, one half of each at
    the threshold.
    """
    anomaly = scores / np.maximum(scores + threshold, np.finfo(np.float32).tiny)
    anomaly = np.where(scores >= threshold, np.maximum(anomaly, 0.5), np.minimum(anomaly, 0.4999))
    return np.stack([1 - anomaly, anomaly], axis=1)


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
    starts, ends = tf.boolean_mask(starts, is_long), tf.boolean_mask(ends, is_long)
    steps = tf.range(time)
    begun = tf.searchsorted(starts, steps, side="right")
    ended = tf.searchsorted(ends, steps, side="left")
    return tf.where(begun > ended, begun, tf.zeros_like(begun))


def last_step(event: Event) -> Event:
    """A detector's event, whose end is that of its last step, with this step as its end."""
    return dataclasses.replace(event, end=event.end - 1)


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
