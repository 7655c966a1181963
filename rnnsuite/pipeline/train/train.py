"""Training that survives being killed: the same command goes on where it was.

The order of batches, dropout and everything else drawn at random are functions of the seed, the
epoch and the step. A checkpoint holds the whole state, also in mid-epoch, so an interrupted
training ends with the metrics of an uninterrupted one.
"""

import contextlib
import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.data.records import collect
from rnnsuite.pipeline.claim import claim, locked
from rnnsuite.pipeline.config import Config, check_metric
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import workers as processes
from rnnsuite.pipeline.train.interrupt import stoppable
from rnnsuite.pipeline.train.loop import Loop
from rnnsuite.pipeline.train.process import reproducible
from rnnsuite.pipeline.train.task import TrainingTask
from rnnsuite.pipeline.train.workers import WorkerLost, Workers

log = logging.getLogger(__name__)


def train(
    app: App,
    config: Config,
    folder: pathlib.Path,
    fitted: Any = None,
    workers: Workers | None = None,
    fresh: bool = False,
    is_enough: Callable[[Sequence[Mapping[str, float]]], bool] | None = None,
) -> dict[str, Any]:
    """Trains in a run folder, or goes on with what is there.

    Args:
        app: the application.
        config: its configuration.
        folder: the run folder.
        fitted: what an earlier run fitted on the same data, or None.
        workers: the processes that train together, from `workers.start`; by default those of the
            configuration.
        fresh: whether what was trained in the folder is deleted first.
        is_enough: asked after every epoch, with a row for each so far, whether it was the last.

    Returns:
        The best epoch's metrics.

    Raises:
        UserError: for unusable settings, data or folder, or data that have changed.
        NotFinite: when the loss is no number any more; the last good weights are kept.
        Interrupted: on SIGINT or SIGTERM, when all that was trained is saved.
        WorkerLost: when another process has gone.
    """
    direction = check_metric(app, config.train.monitor, "train.monitor")
    if app.scoring and app.scoring.require:
        app.scoring.require()
    workers = workers or processes.start(config.train)
    run = Run(app, pathlib.Path(folder))
    try:
        with _locked(run, workers), stoppable(run) as stop:
            finished = workers.broadcast(lambda: _claim(run, config, fresh))
            if finished:
                log.info("%s is finished.", run.folder)
                return finished
            with reproducible(config.seed, config.train.precision):
                task = TrainingTask(run, config, fitted, workers)
                metrics = Loop(run, task, direction, workers, stop).run_epochs(is_enough)
            workers.broadcast(lambda: _finish(run, metrics))
            return metrics
    except tf.errors.OpError as error:
        if processes.is_loss(error, workers):
            raise WorkerLost(processes.error_summary(error)) from error
        raise


def _claim(run: Run, config: Config, fresh: bool) -> dict[str, Any]:
    """The metrics of a run that is finished already, otherwise {}."""
    claim(run, config, fresh)
    is_finished = run.finished and len(run.history()) >= config.train.epochs
    return run.metrics() if is_finished else {}


def _locked(run: Run, workers: Workers) -> contextlib.AbstractContextManager:
    return locked(run) if workers.chief else contextlib.nullcontext()


def _finish(run: Run, metrics: dict[str, Any]) -> None:
    """Calibrates, where the application does, and says that the run is finished."""
    calibrate = run.app.model.calibrate
    if calibrate:
        records = collect(run.app.data.load(run.config().data, "validation"))
        run.save_calibration(calibrate(run.trained(), records))
    run.save_metrics(metrics)
