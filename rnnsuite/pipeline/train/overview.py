"""What a training is given, in a few lines: counts, lengths, classes, and what they suggest."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Data
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import graph_message
from rnnsuite.data import suggestions
from rnnsuite.pipeline.settings import Train

log = logging.getLogger(__name__)
FEW = 5
"""Records of a class, under which it is warned of."""
MOST_CLASSES = 12
"""Classes whose counts are shown."""
PADDED = 0.4
"""Share of padding above which other buckets are suggested."""


@dataclasses.dataclass(frozen=True)
class SplitSummary:
    """The examples of one split.

    Args:
        name: of the split.
        lengths: of the examples, as batches are bucketed by.
        size: numbers in all of them together.
        classes: how many examples each class has; empty where there are no classes.
    """

    name: str
    lengths: np.ndarray
    size: int
    classes: Mapping[str, int]

    @property
    def examples(self) -> int:
        return int(self.lengths.size)

    def line(self) -> str:
        """The split in a line."""
        low, half, high = np.quantile(self.lengths, [0, 0.5, 0.95]).astype(int)
        longest = int(self.lengths.max())
        lengths = f"length {low} to {longest}, half up to {half}, 95 % up to {high}"
        parts = [f"{self.name}: {self.examples} examples", lengths]
        shown = sorted(self.classes.items(), key=lambda item: -item[1])[:MOST_CLASSES]
        if shown:
            more = len(self.classes) - len(shown)
            text = ", ".join(f"{name} {count}" for name, count in shown)
            parts.append(text + (f" and {more} more classes" if more else ""))
        return "; ".join(parts)

    def values(self) -> dict[str, Any]:
        """Plain values, for data.json."""
        low, half, high = np.quantile(self.lengths, [0, 0.5, 1]).tolist()
        return {
            "examples": self.examples,
            "lengths": {"shortest": low, "median": half, "longest": high},
            "classes": dict(self.classes),
        }


def summarise(
    name: str, examples: tf.data.Dataset, data: Data, labels: Sequence[str] | None
) -> SplitSummary:
    """Looks at every example of a split.

    Args:
        name: of the split.
        examples: unbatched.
        data: gives their lengths.
        labels: class names by the numbers that are the targets; None where these are no classes.

    Returns:
        The summary.

    Raises:
        UserError: where there is none, or one that cannot be used.
    """

    def measures(inputs, targets):
        parts = tf.nest.flatten((inputs, targets))
        number = tf.constant(-1)
        if labels:
            number = targets[data.label] if isinstance(targets, Mapping) else targets
        size = tf.add_n([tf.size(part, tf.int64) for part in parts])
        return tf.cast(data.length(inputs), tf.int64), size, tf.cast(number, tf.int64)

    try:
        rows = list(examples.map(measures).batch(1024).as_numpy_iterator())
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"The {name} split: {graph_message(error)}") from error
    if not rows:
        raise UserError(
            f"The {name} split holds no examples. Give it some, or hold others out with "
            f"data.validation."
        )
    lengths, sizes, numbers = (np.concatenate(column) for column in zip(*rows, strict=True))
    counts = np.bincount(numbers, minlength=len(labels)) if labels else []
    classes = dict(zip(labels or (), map(int, counts), strict=True))
    return SplitSummary(name, lengths, int(sizes.sum()), classes)


def report(splits: Sequence[SplitSummary]) -> None:
    """Logs a line for each split, and warnings of classes with few examples. train comes first."""
    for split in splits:
        log.info("%s.", split.line())
        few = {name: count for name, count in split.classes.items() if count < FEW}
        if few and split.name == "train":
            text = ", ".join(f"{name} {count}" for name, count in few.items())
            log.warning(
                "Classes with fewer than %d training examples: %s. Is each a class?", FEW, text
            )


def suggest(train: SplitSummary, padding: float, steps: int, settings: Train) -> None:
    """Logs what the training data suggest for batches. steps: of an epoch."""
    size = suggestions.batch_size(train.examples, settings.batch_size)
    if not settings.batch_tokens and size < settings.batch_size:
        log.info("%d steps an epoch are few: --set train.batch_size=%d takes more.", steps, size)
    bounds = suggestions.boundaries(train.lengths)
    if padding > PADDED and bounds != list(settings.boundaries):
        text = str(bounds).replace(" ", "")
        log.info("Batches of more even lengths: --set train.boundaries=%s.", text)
