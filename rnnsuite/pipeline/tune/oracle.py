"""The one door to keras-tuner's inside: its oracle, its records and its service.

keras-tuner empties a file before it fills it and notices no worker that dies. What mends that
needs names that keras-tuner does not promise to keep; all of them stand here, and
tests/pipeline/tune/test_oracle.py says so when one is gone.
"""

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import keras_tuner
import numpy as np
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from rnnsuite.app import Direction
from rnnsuite.core.files import read_json, write_json
from rnnsuite.pipeline.config import Config
from rnnsuite.pipeline.settings import Range

EPOCHS = "tuner/epochs"
"""Hyperband's own hyperparameter: how many epochs a trial may have."""
EARLIER_TRIAL = "tuner/trial_id"
"""Hyperband's own hyperparameter: the trial whose training this one continues."""
ENVIRONMENT = {
    "host": "KERASTUNER_ORACLE_IP",
    "port": "KERASTUNER_ORACLE_PORT",
    "name": "KERASTUNER_TUNER_ID",
}
"""Environment variables by which keras-tuner's tuners find their chief."""


def build_oracle(
    config: Config,
    direction: Direction,
    distributed: bool = False,
    is_over: Callable[[], bool] = lambda: False,
    by_hand: Mapping[str, Any] | None = None,
) -> keras_tuner.Oracle:
    """The oracle that a configuration asks for.

    Args:
        config: its `tune` section says how to search.
        direction: whether the objective is better when lower or higher.
        distributed: workers of their own go on with their trials while the oracle is away.
        is_over: whether no further trial begins.
        by_hand: settings of the first trial; drawn like the others' by default.

    Returns:
        An oracle whose records are whole at any moment.
    """
    settings = config.tune
    space = keras_tuner.HyperParameters()
    for key, dimension in settings.space.items():
        _declare(space, key, dimension)
    common = {
        "objective": keras_tuner.Objective(settings.objective, direction),
        "hyperparameters": space,
        "seed": config.seed + 1,  # keras-tuner draws one for 0
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": 3,
    }
    if settings.algorithm == "hyperband":
        kind = _recorded(keras_tuner.oracles.HyperbandOracle, distributed, is_over)
        return kind(max_epochs=config.train.epochs, **common)
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    kind = _recorded(_drawn(kinds[settings.algorithm], by_hand or {}), distributed, is_over)
    return kind(max_trials=settings.trials, **common)


def _declare(space: keras_tuner.HyperParameters, key: str, dimension: Range) -> None:
    if dimension.range is None:
        space.Choice(key, list(dimension.choice or ()))
        return
    low, high = dimension.range
    sampling = "log" if dimension.log else "linear"
    if isinstance(low, int) and isinstance(high, int):
        step = int(dimension.step) if dimension.step else None if dimension.log else 1
        space.Int(key, low, high, step=step, sampling=sampling)
    else:
        space.Float(key, low, high, step=dimension.step, sampling=sampling)


def _drawn(kind: type, by_hand: Mapping[str, Any]) -> type:
    """The oracle whose first trial is by hand, and which draws nothing twice."""
    is_bayesian = issubclass(kind, keras_tuner.oracles.BayesianOptimizationOracle)

    class Drawn(kind):  # type: ignore[misc,valid-type]
        def populate_space(self, trial_id):
            if by_hand and not self.trials:
                return {"status": "RUNNING", "values": dict(by_hand)}
            # keras-tuner does not keep its state: here it is a function of seed and trial.
            self._random_state = np.random.RandomState(self.seed + len(self.trials))
            drawn = super().populate_space(trial_id)
            return self._untried(drawn) if is_bayesian else drawn

        def _untried(self, drawn):
            """Random values in place of those that a trial has had, which would teach nothing."""
            values = drawn.get("values")
            if values is None or self._compute_values_hash(values) not in self._tried_so_far:
                return drawn
            values = self._random_values()
            return {"status": "RUNNING" if values else "STOPPED", "values": values}

    return Drawn


def _recorded(kind: type, distributed: bool, is_over: Callable[[], bool]) -> type:
    """The oracle with records that a kill at any moment leaves whole."""

    class Recorded(kind):  # type: ignore[misc,valid-type]
        tuner_ids: Any

        def save(self):
            write_json(pathlib.Path(self._get_oracle_fname()), self.get_state())

        def _save_trial(self, trial):
            folder = pathlib.Path(self._get_trial_dir(trial.trial_id))
            write_json(folder / "trial.json", trial.get_state())

        @keras_tuner.synchronized
        def create_trial(self, tuner_id):
            is_new = tuner_id not in self.ongoing_trials and not self._retry_queue
            if is_new and is_over():
                self.max_trials = len(self.trials)  # which is how keras-tuner says that it is over
            trial = super().create_trial(tuner_id)
            if trial.status == "STOPPED" and self.ongoing_trials:  # whose workers may yet be lost
                trial.status = "IDLE"
                self.tuner_ids |= {tuner_id}
            return trial

        def reload(self):
            super().reload()
            self.trials = dict(sorted(self.trials.items(), key=lambda item: int(item[0])))
            state = read_json(pathlib.Path(self._get_oracle_fname()))
            assigned = state["ongoing_trials"] if distributed else {}
            # By what the trials' own records say: a kill may have come between the two.
            running = [number for number, trial in self.trials.items() if trial.status == "RUNNING"]
            self.ongoing_trials = {
                name: self.trials[number] for name, number in assigned.items() if number in running
            }
            self.tuner_ids |= self.ongoing_trials.keys()
            self._retry_queue = [number for number in running if number not in assigned.values()]

    return Recorded


def release_trial(oracle: keras_tuner.Oracle, worker: str) -> str | None:
    """Gives a lost worker's trial back. Returns its number; None where it had none."""
    oracle.tuner_ids.discard(worker)
    trial = oracle.ongoing_trials.pop(worker, None)
    if trial is None or trial.status != "RUNNING":
        return None
    oracle._retry_queue.append(trial.trial_id)
    oracle.save()
    return trial.trial_id


class Servicer(OracleServicer):
    """keras-tuner's service, which keeps a failure of the search for the chief.

    Args:
        oracle: what it serves.
        on_trial_end: called with every trial that has ended.
    """

    def __init__(self, oracle: keras_tuner.Oracle, on_trial_end: Callable[[Any], None]):
        super().__init__(oracle)
        self.on_trial_end = on_trial_end
        self.failure: str | None = None

    def EndTrial(self, request, context):
        try:
            response = super().EndTrial(request, context)
        except RuntimeError as error:  # too many failures in a row
            self.failure = str(error).strip().splitlines()[-1]
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.failure)
        self.on_trial_end(self.oracle.trials[request.trial.trial_id])
        return response

    def is_done(self) -> bool:
        """True when there are no more trials and no worker is at one."""
        return self.stop_triggered and not self.oracle.ongoing_trials and not self.oracle.tuner_ids


def add_to_server(servicer: Servicer, server: grpc.Server) -> None:
    """Makes a gRPC server answer keras-tuner's messages."""
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)


def set_environment(values: Mapping[str, str]) -> None:
    """Tells keras-tuner's tuners of this process where their chief is. keys: of ENVIRONMENT."""
    os.environ.update({ENVIRONMENT[key]: value for key, value in values.items()})


def clear_environment() -> None:
    """Undoes `set_environment`."""
    for variable in ENVIRONMENT.values():
        os.environ.pop(variable, None)


class WholeSpaceTuner(keras_tuner.Tuner):
    """A tuner whose search space is complete before the first trial, and whose records are whole.

    Args:
        oracle: gives the trials.
        folder: where the records go.
        has_oracle: false in a worker, whose oracle is the chief's.
    """

    def __init__(self, oracle: keras_tuner.Oracle, folder: pathlib.Path, has_oracle: bool = True):
        self.has_oracle = has_oracle
        super().__init__(oracle, _no_hypermodel, directory=str(folder), project_name="oracle")

    def save(self) -> None:
        if self.has_oracle:
            self.oracle.save()
        write_json(pathlib.Path(self._get_tuner_fname()), self.get_state())

    def _populate_initial_space(self) -> None:
        """The space is complete already."""


def _no_hypermodel(hp: Any) -> None:
    """Never called: trials build their model from the configuration."""


def completed_trials(oracle: keras_tuner.Oracle) -> list:
    """Trials that have ended well, best first."""
    trials = oracle.get_best_trials(len(oracle.trials) or 1)
    return [trial for trial in trials if trial.status == "COMPLETED"]
