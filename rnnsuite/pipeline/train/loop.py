"""The loop over epochs and steps, which goes on where a checkpoint stands."""

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import tensorflow as tf

from rnnsuite.app import Direction, Trained
from rnnsuite.core.errors import Interrupted, NotFinite, UserError
from rnnsuite.core.progress import bar
from rnnsuite.data.records import collect
from rnnsuite.pipeline.inference.predictor import graph_predictor
from rnnsuite.pipeline.run import TIMING_COLUMNS, Run
from rnnsuite.pipeline.train import checkpoint, health
from rnnsuite.pipeline.train.interrupt import Stop
from rnnsuite.pipeline.train.record import Progress, Recorder
from rnnsuite.pipeline.train.step import Trainer, validate
from rnnsuite.pipeline.train.task import TrainingTask
from rnnsuite.pipeline.train.workers import Workers

log = logging.getLogger(__name__)
HEALTH_ROWS = 8
"""Rows that gradient health is measured on."""


class Loop:
    """One training in one process.

    Of several processes only the chief writes, scores and examines; what it decides it shares.

    Args:
        run: the run folder.
        task: what is trained.
        direction: whether the monitored metric is better when lower or higher.
        workers: the processes that train together.
        stop: tells of signals.
    """

    def __init__(
        self, run: Run, task: TrainingTask, direction: Direction, workers: Workers, stop: Stop
    ):
        self.run = run
        self.stop = stop
        self.task = task
        self.config = task.config
        self.direction = direction
        self.workers = workers
        self.recorder = Recorder(run, workers.chief)
        stored = checkpoint.load(run.checkpoints) if workers.chief else None
        if stored is None and workers.chief:
            task.initialise()
        spec: Any = task.validation.element_spec
        steps = task.steps * self.config.train.epochs
        self.trainer = Trainer(run.app, task.model, self.config, steps, spec, workers.strategy)
        self.health_batch = _few_rows(task.validation, self.trainer)
        self.scored = _EpochScores(task) if workers.chief and _scores_epochs(task) else None
        self.progress = _restored(run, self.trainer, workers, stored)

    def run_epochs(
        self, is_enough: Callable[[Sequence[Mapping[str, float]]], bool] | None = None
    ) -> dict[str, Any]:
        """Trains until the end, or until it is told to end. Returns the kept epoch's metrics."""
        history = self.progress.history
        with self.recorder.events():
            while self.progress.epoch < self.config.train.epochs and not self._is_stalled():
                if is_enough and history and is_enough(history):
                    break
                self._run_epoch()
        return _metrics(self.run, self.task, self.progress)

    def _is_stalled(self) -> bool:
        patience = self.config.train.patience
        return bool(patience) and self.progress.epoch - self.progress.best_epoch >= patience

    def _run_epoch(self) -> None:
        started = time.monotonic()
        compiled = self.trainer.compile_seconds
        self._train_epoch()
        means = self.progress.means()
        validated = self._validated()
        row = {
            "epoch": self.progress.epoch + 1,
            **means,
            **validated,
            "learning_rate": self.trainer.learning_rate(),
            "seconds": round(time.monotonic() - started, 1),
            "compile_seconds": round(self.trainer.compile_seconds - compiled, 1),
        }
        self.progress.history.append(row)
        self.recorder.epoch(row, self.progress, set(self.run.app.monitored))
        self.recorder.health(self.trainer, self.health_batch, row, self.progress)
        self._average_if_stalled()
        self.progress.end_epoch()
        self.recorder.checkpoint(self.progress, self.trainer, self.task.steps)

    def _average_if_stalled(self) -> None:
        stalled = len(self.progress.history) - self.progress.best_epoch
        if self.trainer.averages.is_due(stalled):
            log.info("No better for %d epochs: weights are averaged from here on.", stalled)
            self.trainer.averages.begin()

    def _validated(self) -> dict[str, float]:
        """Validates the averaged weights, and keeps them where they are the best so far."""
        self.trainer.averages.swap()
        try:
            values = self.workers.broadcast(self._validate)
            validated = {f"val_{name}": value for name, value in values.items()}
            self._keep_if_best(validated[self.config.train.monitor])
        except KeyboardInterrupt:
            self.trainer.averages.swap()
            self._save_and_stop()
        self.trainer.averages.swap()
        return validated

    def _save_and_stop(self) -> NoReturn:
        self.recorder.checkpoint(self.progress, self.trainer, self.task.steps)
        raise Interrupted(
            f"interrupted and saved at epoch {self.progress.epoch + 1}, step {self.progress.step} "
            f"of {self.task.steps}; the same command goes on from there.",
            self.stop.signal or 2,
        )

    def _train_epoch(self) -> None:
        progress = self.progress
        if progress.step == 0:
            self.trainer.reset_states()
        batches = self.task.epoch(progress.epoch).skip(progress.step)
        title = f"epoch {progress.epoch + 1}/{self.config.train.epochs}"
        shown = bar(desc=title, total=self.task.steps, initial=progress.step, unit="batch")
        with shown, self.stop.waited_for():
            saved = time.monotonic()
            for inputs, targets in batches:
                self._step(inputs, targets)
                if self.stop.signal is not None:
                    self._save_and_stop()
                shown.set_postfix_str(f"loss {progress.means()['loss']:.4f}", refresh=False)
                shown.update()
                if time.monotonic() - saved > 60 * self.config.train.checkpoint_minutes:
                    self.recorder.checkpoint(progress, self.trainer, self.task.steps)
                    saved = time.monotonic()
        # A signal may have come behind the last step.
        if self.stop.signal is not None:
            self._save_and_stop()

    def _step(self, inputs, targets) -> None:
        is_first = self.progress.step == 0
        variables = self.task.model.trainable_variables
        before = [weight.numpy() for weight in variables] if is_first else []
        means, norm, finite = self.trainer.step(self.progress.epoch)(inputs, targets)
        if not finite:
            # The step was not taken, so the weights are those of the step before.
            if not self.run.weights.is_file():
                self.recorder.weights(self.task.model)
            step = self.progress.step + 1
            what = f"The loss or its gradient is not finite at step {step}"
            _stop(self.run, what, self.progress.epoch + 1)
        if is_first:
            self.progress.updates = health.updates(before, variables)
        values = {name: float(value) for name, value in means.items()}
        values["gradient_norm"] = float(norm)
        if self.config.train.clip_norm:
            values["clipped"] = float(norm > self.config.train.clip_norm)
        self.progress.add(values, self.trainer.weight(targets))

    def _validate(self) -> dict[str, float]:
        values = validate(self.trainer, self.task.validation)
        if self.scored:
            values |= self.scored()
        return values

    def _keep_if_best(self, value: float) -> None:
        if not math.isfinite(value):
            what = f"{self.config.train.monitor} is not finite at the end"
            _stop(self.run, what, self.progress.epoch + 1)
        best = self.progress.best
        is_better = best is None or (value > best if self.direction == "max" else value < best)
        if is_better or self.config.train.keep == "last":
            self.progress.best = value
            self.progress.best_epoch = self.progress.epoch + 1
            self.recorder.weights(self.task.model)


def _metrics(run: Run, task: TrainingTask, progress: Progress) -> dict[str, Any]:
    """Of the epoch that is kept."""
    best = progress.history[progress.best_epoch - 1]
    return {
        "app": run.app.name,
        "seed": task.config.seed,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "parameters": task.model.count_params(),
        "padding": round(task.padding, 4),
        **{name: value for name, value in best.items() if name not in ("epoch", *TIMING_COLUMNS)},
    }


def _restored(run: Run, trainer: Trainer, workers: Workers, stored: tuple | None) -> Progress:
    """Where training stands, and the state there: the chief's, in all processes."""

    def by_chief():
        arrays, progress = stored or (trainer.arrays(), dataclasses.asdict(Progress()))
        if stored:
            _load(run, trainer, arrays)
        return progress, arrays

    values, arrays = workers.broadcast_arrays(by_chief)
    if not workers.chief:
        trainer.restore(arrays)
    progress = Progress(**values)
    if stored:
        log.info("Resuming %s at epoch %d, step %d.", run.folder, progress.epoch + 1, progress.step)
    return progress


def _load(run: Run, trainer: Trainer, arrays: Sequence) -> None:
    try:
        trainer.restore(arrays)
    except ValueError as error:
        raise UserError(
            f"{run.checkpoints} are of another model. Choose another folder with --run."
        ) from error


def _stop(run: Run, what: str, epoch: int) -> NoReturn:
    """Raises NotFinite that says what is left."""
    weights = run.weights
    rescued = f"The last good weights are in {weights}." if weights.is_file() else "None were good."
    raise NotFinite(
        f"{what} of epoch {epoch}. {rescued}\n"
        "Lower train.learning_rate or train.clip_norm, or look for NaN and extreme values in "
        "the data."
    )


def _scores_epochs(task: TrainingTask) -> bool:
    return task.app.scoring is not None and task.app.scoring.every_epoch is not None


class _EpochScores:
    """Scores of the validation records' answers, with the weights as they are."""

    def __init__(self, task: TrainingTask):
        scoring = task.app.scoring
        assert scoring
        assert scoring.every_epoch
        self.epoch = scoring.every_epoch
        self.score = scoring.score
        self.fitted = task.fitted
        self.records = collect(task.validation_records)
        trained = Trained(config=task.config, fitted=task.fitted, model=task.model)
        self.predictor = graph_predictor("run", task.app.serving.signatures(trained))

    def __call__(self) -> dict[str, float]:
        answers = self.predictor.answer(self.records, self.epoch.signature)
        metrics = self.score(self.records, answers, self.fitted).metrics
        return {name: metrics[name] for name in self.epoch.metrics}


def _few_rows(batches: tf.data.Dataset, trainer: Trainer) -> Any:
    """The first rows of the first batch; all of them where states have their number of rows."""
    batch = next(iter(batches))
    if trainer.states:
        return batch
    return tf.nest.map_structure(lambda value: value[:HEALTH_ROWS], batch)
