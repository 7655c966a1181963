"""The names of keras-tuner that it does not promise to keep are all there."""

import inspect
import json

import keras_tuner
import pytest
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief, oracle_client

from rnnsuite import catalog
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.tune import oracle

APP = catalog.find("sentiment")
SPACE = "tune.space={model.units: {range: [4, 64]}, train.learning_rate: {choice: [0.1, 0.2]}}"


@pytest.mark.parametrize(
    "name",
    [
        "get_state",
        "_get_oracle_fname",
        "_get_trial_dir",
        "_set_project_dir",
        "reload",
        "save",
        "_save_trial",
        "create_trial",
        "get_best_trials",
        "populate_space",
        "_compute_values_hash",
        "_random_values",
    ],
)
def test_of_an_oracle(name):
    assert callable(getattr(keras_tuner.Oracle, name))


def test_of_what_an_oracle_holds():
    made = keras_tuner.oracles.RandomSearchOracle(max_trials=1)
    for name in (
        "trials",
        "ongoing_trials",
        "tuner_ids",
        "_retry_queue",
        "max_trials",
        "_tried_so_far",
    ):
        assert hasattr(made, name), name


def test_of_what_a_bayesian_search_draws_from():
    made = keras_tuner.oracles.BayesianOptimizationOracle()
    assert hasattr(made, "_random_state")


def test_of_tuners_chiefs_and_clients():
    for name in ("_get_tuner_fname", "_populate_initial_space", "pre_create_trial", "run_trial"):
        assert callable(getattr(keras_tuner.Tuner, name)), name
    assert callable(oracle_chief.OracleServicer.EndTrial)
    assert "stop_triggered" in inspect.getsource(oracle_chief)
    assert hasattr(protos.get_service_grpc(), "add_OracleServicer_to_server")
    source = inspect.getsource(oracle_client) + inspect.getsource(oracle_chief)
    assert "KERASTUNER_ORACLE_IP" in source


def build(algorithm, folder, **options):
    sets = [SPACE, f"tune.algorithm={algorithm}", "tune.trials=3", "tune.objective=val_loss"]
    config = configuration.load(APP, "tiny", sets)
    made = oracle.build_oracle(config, "min", **options)
    made._set_project_dir(str(folder), "oracle")
    return made


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_values_are_drawn_from_the_space(tmp_path, algorithm):
    made = build(algorithm, tmp_path)
    trial = made.create_trial("one")
    values = trial.hyperparameters.values
    assert 4 <= values["model.units"] <= 64
    assert values["train.learning_rate"] in (0.1, 0.2)


def test_a_trial_that_is_given_back_is_given_out_again(tmp_path):
    made = build("random", tmp_path, distributed=True)
    trial = made.create_trial("one")
    assert oracle.release_trial(made, "one") == trial.trial_id
    assert oracle.release_trial(made, "one") is None
    assert made.create_trial("two").trial_id == trial.trial_id


def test_records_are_whole_and_read_again(tmp_path):
    made = build("random", tmp_path)
    trial = made.create_trial("one")
    made.update_trial(trial.trial_id, {"val_loss": 0.5})
    trial.status = "COMPLETED"
    made.end_trial(trial)
    made.save()
    state = json.loads((tmp_path / "oracle" / "oracle.json").read_text())
    assert state["ongoing_trials"] == {}
    again = build("random", tmp_path)
    again.reload()
    assert [each.trial_id for each in oracle.completed_trials(again)] == [trial.trial_id]
    assert oracle.completed_trials(again)[0].score == 0.5
