"""What a training writes: history, TensorBoard events, health, weights, checkpoints. Chief only."""

import contextlib
import dataclasses
import logging
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from rnnsuite.core.files import as_user_error
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import checkpoint, health, listeners
from rnnsuite.pipeline.train.step import Trainer

SUMMARIES = ("train", "validation")
"""Folders of TensorBoard's events: a metric of both is one chart."""
log = logging.getLogger(__name__)


@dataclasses.dataclass
class Progress:
    """Where training stands; all of it is in every checkpoint.

    Args:
        epoch: finished epochs.
        step: finished steps of the epoch under way.
        sums: sums of every value over its examples.
        examples: how many of them.
        best: the best value of the monitored metric.
        best_epoch: the epoch that has it, counted from 1.
        history: a row for each finished epoch.
        updates: see `health.updates`, of the first step of the epoch.
        health: an entry for each finished epoch.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = dataclasses.field(default_factory=dict)
    examples: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    updates: dict[str, float] = dataclasses.field(default_factory=dict)
    health: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def add(self, means: Mapping[str, float], size: int) -> None:
        """Counts a batch of `size` examples."""
        for name, value in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * size
        self.examples += size
        self.step += 1

    def means(self) -> dict[str, float]:
        """The mean of every value over the epoch so far."""
        return {name: total / self.examples for name, total in self.sums.items()}

    def end_epoch(self) -> None:
        """Begins the next epoch."""
        self.epoch += 1
        self.step = 0
        self.sums = {}
        self.examples = 0


class Recorder:
    """Writes what a training leaves in its run folder; does nothing where it is not the chief.

    Args:
        run: the run folder.
        writes: false in a process that is not the chief.
    """

    def __init__(self, run: Run, writes: bool):
        self.run = run
        self.writes = writes
        self.writers: dict[str, Any] = {}

    @contextlib.contextmanager
    def events(self) -> Iterator[None]:
        """Within, epochs are written for TensorBoard, train and validation in one chart."""
        folder = self.run.folder / "events"
        with contextlib.ExitStack() as stack:
            for name in SUMMARIES if self.writes else ():
                with as_user_error(folder):
                    writer = tf.summary.create_file_writer(str(folder / name))
                self.writers[name] = stack.enter_context(_closed(writer, folder))
            yield
        self.writers.clear()

    def checkpoint(self, progress: Progress, trainer: Trainer, steps: int) -> None:
        """Saves the whole state. steps: of an epoch, for the checkpoint's number."""
        if self.writes:
            number = progress.epoch * steps + progress.step
            state = dataclasses.asdict(progress)
            checkpoint.save(self.run.checkpoints, number, trainer.arrays(), state)

    def weights(self, model: Any) -> None:
        """Saves the model's weights as the best ones."""
        if self.writes:
            self.run.save_weights(model)

    def epoch(self, row: Mapping[str, float], progress: Progress, shown: set[str]) -> None:
        """Logs and saves a finished epoch. shown: metrics in the log's line."""
        if not self.writes:
            return
        texts = [
            f"{name} {value:.4f}"
            for name, value in row.items()
            if name.removeprefix("val_") in shown
        ]
        log.info(
            "epoch %d: %s (%.0f s, of which %.0f in first calls, which compile)",
            row["epoch"],
            ", ".join(texts),
            row["seconds"],
            row["compile_seconds"],
        )
        with as_user_error(self.run.folder / "events"):
            for name, value in row.items():
                split = "validation" if name.startswith("val_") else "train"
                with self.writers[split].as_default(step=int(row["epoch"])):
                    tf.summary.scalar(name.removeprefix("val_"), value)
            for writer in self.writers.values():
                writer.flush()
        self.run.save_history(progress.history)
        listeners.tell(row)

    def health(
        self, trainer: Trainer, batch: Any, row: Mapping[str, float], progress: Progress
    ) -> None:
        """Measures gradients on `batch`, the same few validation rows every time, and warns."""
        if not self.writes:
            return
        measured = health.measure(trainer.model, lambda: trainer.loss(*batch))
        measured["updates"] = progress.updates
        measured["warnings"] = health.warnings(measured, row.get("clipped", 0.0))
        for warning in measured["warnings"]:
            log.warning("epoch %d: %s", row["epoch"], warning)
        progress.health.append(measured)
        self.run.save_health(progress.health)


@contextlib.contextmanager
def _closed(writer: Any, folder: pathlib.Path) -> Iterator[Any]:
    """Closes a writer of events behind the block; what it cannot write then is a UserError."""
    try:
        yield writer
    finally:
        with as_user_error(folder):
            writer.close()
