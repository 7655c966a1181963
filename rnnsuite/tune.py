"""Search for settings with keras-tuner. The space is data in the configuration.

A trial is an ordinary training in a folder of its own, so it resumes like one. A search
that was killed goes on with the trial that was running; finished trials are not repeated.
"""

import logging
import pathlib
import shutil
import time
from collections.abc import Mapping
from typing import Any

import keras_tuner

from rnnsuite import config as configuration
from rnnsuite import search
from rnnsuite.app import App
from rnnsuite.config import Range, check_metric
from rnnsuite.errors import NotFinite, UserError
from rnnsuite.files import explained, read_json, write_json, write_text
from rnnsuite.run import Run
from rnnsuite.train import train

log = logging.getLogger(__name__)
_EPOCHS = "tuner/epochs"


def tune(
    app: App, config: Any, folder: pathlib.Path, chief: str | None = None, worker: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Runs `config.tune.trials` trials in `folder`, or those still missing there.

    chief: HOST:PORT to give trials out at, in place of running them. worker: the chief's
    HOST:PORT and this worker's name; trials come from there, and what a worker gives is how many it ran.

    Writes best.yaml, a configuration that `train` takes, and gives the best trial's score.
    Raises UserError for an unusable objective or space before the first trial.
    """
    direction = check_metric(app, config.tune.objective, "tune.objective")
    _check_space(app, config)
    _claim(folder, config)
    oracle = _oracle(config, direction, led=chief is not None)
    if worker:
        with search.working(folder, *worker):
            tuner = _Trials(app, config, oracle, folder, alone=False)
            tuner.search()
        return {"worker": worker[1], "trials": tuner.done}
    tuner = _Trials(app, config, oracle, folder)
    tuner.save()
    if chief:
        search.lead(oracle, folder, chief, tuner.told)
    else:
        tuner.search(verbose=0)
    return _conclude(app, config, oracle, folder)


def _check_space(app: App, config: Any) -> None:
    if config.train.strategy == "multi_worker":
        raise UserError(
            "tune: a trial is one process; train.strategy=multi_worker goes with train, --worker with tune."
        )
    if not config.tune.space:
        raise UserError(
            "tune.space is empty: name at least one key to search, such as model.units: {range: [32, 128]}."
        )
    for key, dimension in config.tune.space.items():
        if key.split(".")[0] not in ("data", "model", "train"):
            raise UserError(f"tune.space: {key} cannot be searched; it must be a key of data, model or train.")
        for value in dimension.ends():
            configuration.replace(app, config, {key: value})


def _claim(folder: pathlib.Path, config: Any) -> None:
    """Ties the folder to these settings, but for the number of trials, which may grow."""
    path = folder / "search.json"
    settings = configuration.plain(config)
    settings["tune"] = {key: value for key, value in settings["tune"].items() if key not in ("trials", "keep")}
    if path.is_file() and read_json(path) != settings:
        raise UserError(f"{folder} holds a search with other settings. Choose another folder with --run, or delete it.")
    with explained(folder):
        write_json(path, settings)


def _oracle(config: Any, direction: str, led: bool = False) -> keras_tuner.Oracle:
    """led: workers of their own go on with their trials while the oracle is away."""
    settings = config.tune
    space = keras_tuner.HyperParameters()
    for key, dimension in settings.space.items():
        _declare(space, key, dimension)
    common = {
        "objective": keras_tuner.Objective(settings.objective, direction),
        "hyperparameters": space,
        "seed": config.seed,
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": 3,
    }
    if settings.algorithm == "hyperband":
        return _recorded(keras_tuner.oracles.HyperbandOracle, led)(max_epochs=config.train.epochs, **common)
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    return _recorded(kinds[settings.algorithm], led)(max_trials=settings.trials, **common)


def _recorded(kind: type, led: bool) -> type:
    """The oracle with records that a kill at any moment leaves whole: keras-tuner empties a file before it fills it."""

    class Recorded(kind):
        def save(self):
            write_json(pathlib.Path(self._get_oracle_fname()), self.get_state())

        def _save_trial(self, trial):
            write_json(pathlib.Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

        @keras_tuner.synchronized
        def create_trial(self, tuner_id):
            trial = super().create_trial(tuner_id)
            if trial.status == "STOPPED" and self.ongoing_trials:  # whose workers may yet be lost
                trial.status = "IDLE"
                self.tuner_ids.add(tuner_id)
            return trial

        def reload(self):
            super().reload()
            at_work = read_json(pathlib.Path(self._get_oracle_fname()))["ongoing_trials"] if led else {}
            # By what the trials' own records say: a kill may have come between the two.
            running = [number for number, trial in self.trials.items() if trial.status == "RUNNING"]
            self.ongoing_trials = {name: self.trials[number] for name, number in at_work.items() if number in running}
            self.tuner_ids |= self.ongoing_trials.keys()
            self._retry_queue = [number for number in running if number not in at_work.values()]

    return Recorded


def _declare(space: keras_tuner.HyperParameters, key: str, dimension: Range) -> None:
    if dimension.choice:
        space.Choice(key, list(dimension.choice))
        return
    low, high = dimension.range
    whole = isinstance(low, int) and isinstance(high, int)
    step = dimension.step and (int(dimension.step) if whole else dimension.step)
    kind = space.Int if whole else space.Float
    kind(
        key,
        low,
        high,
        step=step or (1 if whole and not dimension.log else None),
        sampling="log" if dimension.log else "linear",
    )


class _Trials(keras_tuner.Tuner):
    """Runs every trial as a training in `<folder>/trials/<number>`."""

    def __init__(self, app: App, config: Any, oracle: keras_tuner.Oracle, folder: pathlib.Path, alone: bool = True):
        self.app, self.config, self.folder, self.alone = app, config, folder, alone
        self.done, self.idle = 0, False
        self.fitted: dict[str, Any] = {}
        super().__init__(oracle, _no_hypermodel, directory=str(folder), project_name="oracle")
        if not alone:
            self.oracle.stub = search.Patient(self.oracle.stub)

    def save(self) -> None:
        if self.alone:  # otherwise the chief has it
            self.oracle.save()
        write_json(pathlib.Path(self._get_tuner_fname()), self.get_state())

    def _populate_initial_space(self) -> None:
        """The space is complete already."""

    def pre_create_trial(self) -> None:
        if self.idle:
            time.sleep(1)
        self.idle = True

    def on_trial_begin(self, trial: Any) -> None:
        super().on_trial_begin(trial)
        self.idle = False

    def run_trial(self, trial: Any, *args, **kwargs) -> dict[str, float]:
        values = dict(trial.hyperparameters.values)
        changes = {key: value for key, value in values.items() if key in self.config.tune.space}
        if _EPOCHS in values:
            changes["train.epochs"] = values[_EPOCHS]
        config = configuration.replace(self.app, self.config, changes)
        folder = trial_folder(self.folder, trial.trial_id)
        self._continue(values, folder)
        log.info("Trial %s: %s", trial.trial_id, ", ".join(f"{key}={value}" for key, value in changes.items()))
        try:
            metrics = train(self.app, config, folder, self._fitted(config, folder))
        except NotFinite as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        except UserError as error:
            raise keras_tuner.errors.FatalError(str(error)) from error
        return {name: value for name, value in metrics.items() if name.startswith("val_")}

    def _continue(self, values: Mapping[str, Any], folder: pathlib.Path) -> None:
        """Hyperband's later rounds train an earlier trial further, if its weights are still there."""
        earlier = values.get("tuner/trial_id")
        if earlier and not folder.exists():
            known = trial_folder(self.folder, earlier)
            if (known / "checkpoints").is_dir():
                shutil.copytree(known, folder)
                (folder / "metrics.json").unlink(missing_ok=True)

    def _fitted(self, config: Any, folder: pathlib.Path) -> Any:
        """What was fitted on train by an earlier trial with the same data settings."""
        key = str(configuration.plain(config)["data"])
        for path in sorted((self.folder / "trials").glob("*/fitted.json")):
            run = Run(self.app, path.parent)
            if key not in self.fitted and str(configuration.plain(run.config())["data"]) == key:
                self.fitted[key] = run.fitted()
        return self.fitted.get(key)

    def on_trial_end(self, trial: Any) -> None:
        super().on_trial_end(trial)
        self.idle, self.done = False, self.done + 1
        if self.alone:
            self.told(self.oracle.get_trial(trial.trial_id))

    def told(self, trial: Any) -> None:
        """A trial has ended: says so, and removes what is not worth keeping."""
        if trial.score is not None:
            log.info("Trial %s: %s %.4f", trial.trial_id, self.config.tune.objective, trial.score)
        if self.config.tune.algorithm != "hyperband":
            prune(self.oracle, self.folder, self.config.tune.keep)


def _no_hypermodel(hp: Any) -> None:
    """Never called: trials build their model from the configuration."""


def trial_folder(folder: pathlib.Path, number: str) -> pathlib.Path:
    return folder / "trials" / number


def prune(oracle: keras_tuner.Oracle, folder: pathlib.Path, keep: int) -> None:
    """Removes weights and checkpoints of all finished trials but the `keep` best; their metrics stay."""
    best = {trial.trial_id for trial in _finished(oracle)[:keep]}
    for trial in _finished(oracle):
        if trial.trial_id not in best:
            place = trial_folder(folder, trial.trial_id)
            shutil.rmtree(place / "checkpoints", ignore_errors=True)
            (place / "best.weights.h5").unlink(missing_ok=True)


def _finished(oracle: keras_tuner.Oracle) -> list:
    return [trial for trial in oracle.get_best_trials(len(oracle.trials) or 1) if trial.status == "COMPLETED"]


def _conclude(app: App, config: Any, oracle: keras_tuner.Oracle, folder: pathlib.Path) -> dict[str, Any]:
    prune(oracle, folder, config.tune.keep)
    finished = _finished(oracle)
    if not finished:
        raise UserError(f"No trial ended with finite numbers; see {folder / 'trials'}.")
    best = Run(app, trial_folder(folder, finished[0].trial_id))
    path = folder / "best.yaml"
    with explained(folder):
        write_text(path, configuration.dump(best.config()))
    return {
        "best": str(path),
        "run": str(best.folder),
        "trials": len(oracle.trials),
        config.tune.objective: best.metrics()[config.tune.objective],
        "settings": {
            key: value for key, value in finished[0].hyperparameters.values.items() if key in config.tune.space
        },
    }
