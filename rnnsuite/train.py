"""Training that survives being killed: the same command goes on where it was.

Order of batches, dropout and everything else drawn at random are functions of the seed,
the epoch and the step. A checkpoint holds the whole state, also in mid-epoch, so that an
interrupted training ends with the metrics of an uninterrupted one.
"""

import contextlib
import dataclasses
import logging
import math
import pathlib
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite import checkpoint, evaluate, health, predict, sources, workers
from rnnsuite.app import App
from rnnsuite.config import check_metric
from rnnsuite.errors import NotFinite, UserError
from rnnsuite.files import only_one
from rnnsuite.progress import bar
from rnnsuite.run import TIMES, Run, revived
from rnnsuite.trainer import Trainer
from rnnsuite.workers import WorkerLost, Workers

log = logging.getLogger(__name__)
HEALTH_ROWS = 8  # that gradient health is measured on


@dataclasses.dataclass
class Progress:
    """Where training stands; all of it is in every checkpoint."""

    epoch: int = 0
    step: int = 0
    sums: dict[str, float] = dataclasses.field(default_factory=dict)
    seen: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    updates: dict[str, float] = dataclasses.field(default_factory=dict)
    health: list[dict] = dataclasses.field(default_factory=list)

    def add(self, means: dict[str, float], size: int) -> None:
        for name, value in means.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * size
        self.seen += size
        self.step += 1

    def means(self) -> dict[str, float]:
        return {name: total / self.seen for name, total in self.sums.items()}


def train(
    app: App, config: Any, folder: pathlib.Path, fitted: Any = None, team: Workers | None = None
) -> dict[str, Any]:
    """Trains `config` in `folder`, or goes on with what is there, and gives the best epoch's metrics.

    team: the processes that train together, from `workers.start`; by default those of the configuration.
    Raises UserError for unusable settings, data or folder; NotFinite when the loss is no
    number any more (the last good weights are kept); WorkerLost when another process has gone.
    """
    direction = check_metric(app, config.train.monitor, "train.monitor")
    team = team or workers.start(config.train)
    run = Run(app, pathlib.Path(folder))

    def claimed():
        run.start(config)
        return run.metrics() if run.finished and len(run.history()) >= config.train.epochs else {}

    try:
        finished = team.share(claimed)
        if finished:
            log.info("%s is finished.", run.folder)
            return finished
        _prepare(config)
        alone = only_one(run.folder / ".lock", f"Another process is training in {run.folder}.")
        with alone if team.chief else contextlib.nullcontext():
            return _Training(run, config, direction, fitted, team).go()
    except tf.errors.OpError as error:
        if workers.is_loss(error, team):
            raise WorkerLost(workers.said(error)) from error
        raise
    finally:
        keras.config.set_dtype_policy("float32")


def _prepare(config: Any) -> None:
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(config.train.precision)


class _Training:
    """One training in one process. Of several only the chief writes, judges and examines; what it decides it shares."""

    def __init__(self, run: Run, config: Any, direction: str, fitted: Any, team: Workers):
        self.run, self.config, self.direction, self.team = run, config, direction, team
        app, settings = run.app, config.train
        self.fitted = self._fitted(fitted)
        records, held = (app.load(config.data, split) for split in ("train", "validation"))
        self.examples = self._examples(records)
        self.augment = app.augment(config.data, self.fitted) if app.augment else None
        self.validation = self._batches(self._examples(held))
        self.steps, self.padding = _measured(self.examples, self._batches(self.examples), "train")
        log.info("%d batches an epoch, %.1f %% of them padding.", self.steps, 100 * self.padding)
        _measured(self.validation, self.validation, "validation")
        self.few = tf.nest.map_structure(lambda v: v[:HEALTH_ROWS], next(iter(self.validation)))
        keras.utils.set_random_seed(config.seed)
        with team.strategy.scope():
            self.model = app.build(config.model, self.fitted)
        stored = checkpoint.load(run.checkpoints) if team.chief else None
        if stored is None and team.chief:
            self._begin()
        spec = self.validation.element_spec
        self.trainer = Trainer(app, self.model, config, self.steps * settings.epochs, spec, team.strategy)
        judges = app.judged and team.chief
        self.judged = evaluate.collect(held) if judges else []
        self.asked = predict.of_signatures("run", app.asked(config, self.fitted, self.model)) if judges else None
        self.progress = self._restore(stored)

    def _fitted(self, fitted: Any) -> Any:
        def of_chief():
            found = self.run.fitted() or fitted or self._fit(self.run.app.load(self.config.data, "train"))
            self.run.save_fitted(found)
            return dataclasses.asdict(found)

        return revived(self.run.app, self.team.share(of_chief), "what the chief fitted")

    def _fit(self, records: tf.data.Dataset) -> Any:
        log.info("Fitting on the training records ...")
        return self.run.app.fit(self.config.data, records)

    def _examples(self, records: tf.data.Dataset) -> tf.data.Dataset:
        examples = self.run.app.examples(self.config.data, self.fitted, records)
        return examples.cache() if self.config.train.cache else examples

    def _batches(self, examples: tf.data.Dataset, seed: int | None = None) -> tf.data.Dataset:
        settings = self.config.train
        length, augment = self.run.app.length, self.augment if seed is not None else None
        size = (lambda bound: max(settings.batch_tokens // bound, 1)) if settings.batch_tokens else settings.batch_size
        return sources.batches(examples, length, settings.boundaries, size, seed, augment, settings.shuffle)

    def _begin(self) -> None:
        """Weights that were trained elsewhere, where the configuration names any."""
        if self.config.train.start:
            before = Run(self.run.app, pathlib.Path(self.config.train.start)).model()
            try:
                for layer in self.model.layers:
                    layer.set_weights(before.get_layer(layer.name).get_weights() if layer.weights else [])
            except ValueError as error:
                raise UserError(
                    f"train.start: the model of {self.config.train.start} has other layers or another vocabulary "
                    f"({' '.join(str(error).split())[:200]})."
                ) from error
        elif self.run.app.begin:
            self.run.app.begin(self.config, self.model)

    def _restore(self, stored: tuple | None) -> Progress:
        """Where training stands, and the state there: the chief's, in all processes."""

        def of_chief():
            arrays, progress = stored or (self.trainer.arrays(), dataclasses.asdict(Progress()))
            if stored:
                self._load(arrays)
            return progress, arrays

        progress, arrays = self.team.share_arrays(of_chief)
        if not self.team.chief:
            self.trainer.restore(arrays)
        progress = Progress(**progress)
        if stored:
            log.info("Resuming %s at epoch %d, step %d.", self.run.folder, progress.epoch + 1, progress.step)
        return progress

    def _load(self, arrays) -> None:
        try:
            self.trainer.restore(arrays)
        except ValueError as error:
            raise UserError(
                f"{self.run.checkpoints} are of another model. Choose another folder with --run."
            ) from error

    def _save(self) -> None:
        if not self.team.chief:
            return
        progress = self.progress
        step = progress.epoch * self.steps + progress.step
        checkpoint.save(self.run.checkpoints, step, self.trainer.arrays(), dataclasses.asdict(progress))

    def go(self) -> dict[str, Any]:
        epochs, patience = self.config.train.epochs, self.config.train.patience
        place = str(self.run.folder / "events")
        events = tf.summary.create_file_writer(place) if self.team.chief else tf.summary.create_noop_writer()
        with events.as_default():
            while self.progress.epoch < epochs and not self._stalled(patience):
                self._epoch()
        metrics = {
            "app": self.run.app.name,
            "seed": self.config.seed,
            "epochs": self.progress.epoch,
            "best_epoch": self.progress.best_epoch,
            "parameters": self.model.count_params(),
            "padding": round(self.padding, 4),
            **_without_time(self.progress.history[self.progress.best_epoch - 1]),
        }
        if self.team.chief:
            self.run.save_metrics(metrics)
        return metrics

    def _stalled(self, patience: int) -> bool:
        return bool(patience) and self.progress.epoch - self.progress.best_epoch >= patience

    def _epoch(self) -> None:
        progress, started, compiled = self.progress, time.monotonic(), self.trainer.first_calls
        batches = self._batches(self.examples, self.config.seed + progress.epoch).skip(progress.step)
        title = f"epoch {progress.epoch + 1}/{self.config.train.epochs}"
        with bar(desc=title, total=self.steps, initial=progress.step, unit="batch") as shown:
            saved = time.monotonic()
            for inputs, targets in batches:
                self._step(inputs, targets)
                shown.set_postfix_str(f"loss {progress.means()['loss']:.4f}", refresh=False)
                shown.update()
                if time.monotonic() - saved > 60 * self.config.train.checkpoint_minutes:
                    self._save()
                    saved = time.monotonic()
        means = progress.means()
        self.trainer.exchange()
        validated = {f"val_{name}": value for name, value in self.team.share(self._validate).items()}
        self._keep_if_best(validated[self.config.train.monitor])
        self.trainer.exchange()
        row = {
            "epoch": progress.epoch + 1, **means, **validated,
            "learning_rate": self.trainer.learning_rate(), "seconds": round(time.monotonic() - started, 1),
            "first_calls": round(self.trainer.first_calls - compiled, 1),
        }  # fmt: skip
        progress.history.append(row)
        if self.team.chief:
            self._log(row)
            self._examine(row)
            self.run.save_history(progress.history)
        progress.epoch, progress.step, progress.sums, progress.seen = progress.epoch + 1, 0, {}, 0
        self._save()

    def _validate(self) -> dict[str, float]:
        judged, found = self.run.app.judged, self.trainer.validate(self.validation)
        if judged:
            answers = self.asked.answer(self.judged, judged.signature)
            scores = self.run.app.score(self.judged, answers, self.fitted).metrics
            found |= {name: scores[name] for name in judged.metrics}
        return found

    def _examine(self, row) -> None:
        """Notes how gradients fare, on the same few validation rows every time, and warns."""
        found = health.measure(self.model, lambda: self.trainer.loss(*self.few))
        found["updates"] = self.progress.updates
        found["warnings"] = health.warnings(found, row.get("clipped", 0.0))
        for warning in found["warnings"]:
            log.warning("epoch %d: %s", row["epoch"], warning)
        self.progress.health.append(found)
        self.run.save_health(self.progress.health)

    def _step(self, inputs, targets) -> None:
        first = self.progress.step == 0
        before = [weight.numpy() for weight in self.model.trainable_variables] if first else None
        means, norm, finite = self.trainer.step(inputs, targets)
        if not finite:
            # The step was not taken, so the weights are those of the step before.
            if self.team.chief and not self.run.weights.is_file():
                self.run.save_weights(self.model)
            self._stop_at_nan(f"The loss or its gradient is not finite at step {self.progress.step + 1}")
        if first:
            self.progress.updates = health.updates(before, self.model.trainable_variables)
        noted = {**{name: float(value) for name, value in means.items()}, "gradient_norm": float(norm)}
        if self.config.train.clip_norm:
            noted["clipped"] = float(norm > self.config.train.clip_norm)
        self.progress.add(noted, _size(targets))

    def _stop_at_nan(self, what: str) -> None:
        kept = f"The last good weights are in {self.run.weights}." if self.run.weights.is_file() else "None were good."
        raise NotFinite(
            f"{what} of epoch {self.progress.epoch + 1}. {kept}\n"
            "Lower train.learning_rate or train.clip_norm, or look for NaN and extreme values in the data."
        )

    def _keep_if_best(self, value: float) -> None:
        if not math.isfinite(value):
            self._stop_at_nan(f"{self.config.train.monitor} is not finite at the end")
        best = self.progress.best
        if best is None or (value > best if self.direction == "max" else value < best):
            self.progress.best, self.progress.best_epoch = value, self.progress.epoch + 1
            if self.team.chief:
                self.run.save_weights(self.model)

    def _log(self, row: dict[str, float]) -> None:
        app = self.run.app
        known = {*app.metrics, *(app.judged.metrics if app.judged else ())}
        shown = (f"{name} {value:.4f}" for name, value in row.items() if name.removeprefix("val_") in known)
        told = "epoch %d: %s (%.0f s, of which %.0f in first calls, which compile)"
        log.info(told, row["epoch"], ", ".join(shown), row["seconds"], row["first_calls"])
        for name, value in row.items():
            tf.summary.scalar(name, value, step=int(row["epoch"]))


def _without_time(row: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name not in ("epoch", *TIMES)}


def _size(targets: Any) -> int:
    return int(tf.nest.flatten(targets)[0].shape[0])


def _measured(examples: tf.data.Dataset, batches: tf.data.Dataset, split: str) -> tuple[int, float]:
    """The number of batches and the share of their numbers that is padding."""

    def numbers(total, example):
        return total + sum(tf.size(v, tf.int64) for v in tf.nest.flatten(example))

    count = sum(1 for _ in batches)
    if not count:
        raise UserError(f"The {split} split holds no examples.")
    real, padded = (int(each.reduce(np.int64(0), numbers)) for each in (examples, batches))
    return count, 1 - real / padded
