"""Search for settings with keras-tuner. The space is data in the configuration.

A trial is an ordinary training in a folder of its own, so it resumes like one. A search that was
killed goes on with the trial that was running; finished trials are not repeated.
"""

import functools
import logging
import pathlib
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner

from rnnsuite.app import App
from rnnsuite.core.errors import NotFinite, UserError
from rnnsuite.core.files import as_user_error, write_text
from rnnsuite.core.nested import get
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import Config, check_metric
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.space import check_space
from rnnsuite.pipeline.train.train import train
from rnnsuite.pipeline.tune import chief as chiefs
from rnnsuite.pipeline.tune import claims
from rnnsuite.pipeline.tune.oracle import (
    EARLIER_TRIAL,
    EPOCHS,
    WholeSpaceTuner,
    build_oracle,
    completed_trials,
)
from rnnsuite.pipeline.tune.record import write_record
from rnnsuite.pipeline.tune.results import prune, trial_folder, trial_table, write_hparams
from rnnsuite.pipeline.tune.stopping import Budget, Stopping

log = logging.getLogger(__name__)


def tune(
    app: App,
    config: Config,
    folder: pathlib.Path,
    chief: str | None = None,
    worker: tuple[str, str] | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Runs `config.tune.trials` trials, or those still missing, and writes best.yaml.

    `config.tune.hours` bound the time of all sittings; with more of them the search goes on.

    Args:
        app: the application.
        config: its configuration; `tune.space` is searched.
        folder: of the search.
        chief: HOST:PORT to give trials out at, in place of running them.
        worker: the chief's HOST:PORT and this worker's name; trials come from there.
        fresh: whether an earlier search in the folder is deleted first.

    Returns:
        The best trial's score and settings; of a worker, how many trials it ran.

    Raises:
        UserError: for an unusable objective, space or data, before the first trial.
    """
    direction = check_metric(app, config.tune.objective, "tune.objective")
    check_space(app, config)
    if app.scoring and app.scoring.require:
        app.scoring.require()
    fitted = None if chief else _fit(app, config, folder)
    claims.claim(folder, config, fresh, worker is not None)
    stopping = Stopping(app, folder / "trials", config.tune, direction)
    budget = None if worker else Budget(folder / "spent.json", config.tune.hours)
    oracle = build_oracle(
        config,
        direction,
        distributed=chief is not None,
        is_over=budget.is_spent if budget else lambda: False,
        by_hand=_by_hand(config),
    )
    try:
        if worker:
            address, name = worker
            with chiefs.worker_session(folder, address, name):
                tuner = _Trials(app, config, oracle, folder, fitted, stopping)
                tuner.search()
            return {"worker": name, "trials": tuner.finished}
        tuner = _Trials(app, config, oracle, folder, fitted, stopping, budget)
        tuner.save()
        if chief:
            chiefs.serve_trials(oracle, folder, chief, tuner.report)
        else:
            tuner.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise UserError(str(error)) from error
    assert budget
    return _conclude(app, config, oracle, folder, budget)


def _by_hand(config: Config) -> dict[str, Any]:
    """The configuration's own values of what is searched, where all are among what may be drawn."""
    if not config.tune.by_hand:
        return {}
    plain = configuration.plain(config)
    values = {key: get(plain, key) for key in config.tune.space}
    strange = [key for key, space in config.tune.space.items() if values[key] not in space]
    if strange:
        log.info("No trial by hand: %s is outside of its range.", ", ".join(strange))
        return {}
    return values


def _fit(app: App, config: Config, folder: pathlib.Path) -> Any:
    """What is fitted on train, which also shows before the first trial that the data are usable.

    Raises:
        UserError: where they are not.
    """
    if claims.has_trials(folder):
        return None
    log.info("Fitting on the training records ...")
    app.data.load(config.data, "validation")
    return app.data.fit(config.data, app.data.load(config.data, "train"))


class _Trials(WholeSpaceTuner):
    """Runs every trial as a training in `<folder>/trials/<number>`."""

    def __init__(
        self,
        app: App,
        config: Config,
        oracle: keras_tuner.Oracle,
        folder: pathlib.Path,
        fitted: Any,
        stopping: Stopping,
        budget: Budget | None = None,
    ):
        """budget: of the search; None in a worker, whose chief has it."""
        self.app = app
        self.config = config
        self.folder = folder
        self.stopping = stopping
        self.budget = budget
        self.finished = 0
        self.is_idle = False
        self.fitted: dict[str, Any] = {_data_of(config): fitted} if fitted else {}
        super().__init__(oracle, folder, has_oracle=budget is not None)
        if budget is None:
            client: Any = self.oracle  # keras-tuner's OracleClient, in a worker
            client.stub = chiefs.RetryingStub(client.stub)

    def pre_create_trial(self) -> None:
        if self.is_idle:
            time.sleep(1)
        self.is_idle = True

    def on_trial_begin(self, trial: Any) -> None:
        super().on_trial_begin(trial)
        self.is_idle = False

    def run_trial(self, trial: Any, *args, **kwargs) -> dict[str, float]:
        values = dict(trial.hyperparameters.values)
        changes = {key: value for key, value in values.items() if key in self.config.tune.space}
        if EPOCHS in values:
            changes["train.epochs"] = values[EPOCHS]
        if self.config.tune.share < 1:
            changes["train.share"] = self.config.tune.share
        config = configuration.replace(self.app, self.config, changes)
        folder = trial_folder(self.folder, trial.trial_id)
        self._continue_earlier(values, folder)
        settings = ", ".join(f"{key}={value}" for key, value in changes.items())
        log.info("Trial %s: %s", trial.trial_id, settings)
        try:
            is_enough = functools.partial(self._is_enough, trial.trial_id)
            metrics = train(self.app, config, folder, self._fitted(config), is_enough=is_enough)
            write_hparams(folder, changes, metrics)
        except NotFinite as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        except UserError as error:
            raise keras_tuner.errors.FatalError(str(error)) from error
        return {name: value for name, value in metrics.items() if name.startswith("val_")}

    def _is_enough(self, number: str, history: Sequence[Mapping[str, float]]) -> bool:
        reason = self.stopping.reason(number, history)
        if not reason and self.budget and self.budget.is_spent():
            reason = "the hours are over"
        if reason and len(history) < self.config.train.epochs:
            log.info("Trial %s ends after %d epochs: %s.", number, len(history), reason)
        return bool(reason)

    def _continue_earlier(self, values: Mapping[str, Any], folder: pathlib.Path) -> None:
        """Hyperband's later rounds train an earlier trial further, if its weights still exist."""
        earlier = values.get(EARLIER_TRIAL)
        if not earlier or folder.exists():
            return
        source = trial_folder(self.folder, earlier)
        if (source / "checkpoints").is_dir():
            shutil.copytree(source, folder)
            (folder / "metrics.json").unlink(missing_ok=True)

    def _fitted(self, config: Config) -> Any:
        """What was fitted on train by an earlier trial with the same data settings."""
        key = _data_of(config)
        for path in sorted((self.folder / "trials").glob("*/fitted.json")):
            run = Run(self.app, path.parent)
            if key not in self.fitted and _data_of(run.config()) == key:
                self.fitted[key] = run.fitted()
        return self.fitted.get(key)

    def on_trial_end(self, trial: Any) -> None:
        super().on_trial_end(trial)
        self.is_idle = False
        self.finished += 1
        if self.has_oracle:
            self.report(self.oracle.get_trial(trial.trial_id))

    def report(self, trial: Any) -> None:
        """Logs a trial that has ended, and removes weights that are not worth keeping."""
        if trial.score is not None:
            log.info("Trial %s: %s %.4f", trial.trial_id, self.config.tune.objective, trial.score)
        if self.config.tune.algorithm != "hyperband":
            prune(self.oracle, self.folder, self.config.tune.keep)


def _data_of(config: Config) -> str:
    return str(configuration.plain(config)["data"])


def _conclude(
    app: App, config: Config, oracle: keras_tuner.Oracle, folder: pathlib.Path, budget: Budget
) -> dict[str, Any]:
    prune(oracle, folder, config.tune.keep)
    completed = completed_trials(oracle)
    if not completed:
        raise UserError(f"No trial ended with finite numbers; see {folder / 'trials'}.")
    best = completed[0]
    run = Run(app, trial_folder(folder, best.trial_id))
    settings = configuration.replace(app, run.config(), {"train.share": config.train.share})
    with as_user_error(folder):
        write_text(folder / "best.yaml", configuration.dump(settings))
    table = trial_table(app, config, completed, folder)
    budget.is_spent()
    write_record(app, config, folder, table, budget.seconds)
    values = best.hyperparameters.values
    return {
        "app": app.name,
        "best": str(folder / "best.yaml"),
        "report": str(folder / "report.html"),
        "run": str(run.folder),
        "trials": len(oracle.trials),
        "hours": round(budget.seconds / 3600, 2),
        config.tune.objective: run.metrics()[config.tune.objective],
        "settings": {key: value for key, value in values.items() if key in config.tune.space},
        "table": table,
    }
