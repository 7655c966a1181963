"""A search by a chief and workers, one of which is killed; and a chief that is killed, too."""

import pathlib
import signal
import threading
import time

import pytest
from keras_tuner.src.distribute.oracle_client import OracleClient

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import read_json
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.config import check_metric
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.tune import chief
from rnnsuite.pipeline.tune.oracle import build_oracle
from rnnsuite.pipeline.tune.tune import tune
from tests.processes import ended, film_reviews, overrides, ports, start, wait

TRIALS = 6
SETTINGS = (
    "tune.space={train.learning_rate: {range: [0.001, 0.1], log: true}, train.epochs: {range: [1, "
    "2]}}",
    "tune.objective=val_loss",
    "train.monitor=val_loss",
    "train.batch_size=16",
    "train.boundaries=[64]",
    "data.validation=0.3",
    "data.vocabulary_size=100",
    "model.units=8",
)


@pytest.mark.thorough
def test_a_chief_and_two_workers_each_killed_once(bag, tmp_path):
    source, folder = film_reviews(tmp_path / "reviews.csv", 30), tmp_path / "search"
    where = f"127.0.0.1:{ports(1)[0]}"
    words = ["tune", "bag", "--json", "--run", folder, "--trials", TRIALS]
    words += overrides(f"data.source={source}", *SETTINGS)

    def chief():
        return start([*words, "--chief", where], tmp_path / "chief")

    def worker(number):
        return start(
            [*words, "--worker", where, "--name", f"worker{number}"], tmp_path / f"worker{number}"
        )

    def finished():
        return {
            path.parent.name: path.stat().st_mtime_ns
            for path in folder.glob("trials/*/metrics.json")
        }

    leading, working = chief(), [worker(0), worker(1)]

    def alive():
        assert leading.poll() is None, (tmp_path / "chief").read_text()[-3000:]
        assert working[0].poll() is None, (tmp_path / "worker0").read_text()[-3000:]
        return True

    wait(lambda: alive() and len(finished()) >= 2, tmp_path / "worker0")
    working[1].send_signal(signal.SIGKILL)
    working[1].wait()
    wait(lambda: alive() and len(finished()) >= 3, tmp_path / "worker0")
    leading.send_signal(signal.SIGKILL)
    leading.wait()
    known = finished()
    leading, working[1] = chief(), worker(1)
    result = ended(leading, tmp_path / "chief")
    ran = [
        ended(each, tmp_path / f"worker{number}")["trials"] for number, each in enumerate(working)
    ]
    assert result["trials"] == len(finished()) == TRIALS
    assert min(ran) > 0
    assert {name: finished()[name] for name in known} == known  # none was done again
    started = [
        line.split(":")[0] for name in ("worker0", "worker1") for line in _trials(tmp_path / name)
    ]
    assert sorted(set(started)) == [f"Trial {number}" for number in range(TRIALS)]
    assert TRIALS <= len(started) <= TRIALS + 1  # but the one whose worker was killed
    scores = [Run(bag, folder / "trials" / name).metrics()["val_loss"] for name in finished()]
    assert result["val_loss"] == min(scores)
    assert configuration.load(bag, folder / "best.yaml")


def _trials(log: pathlib.Path) -> list[str]:
    return [
        line
        for line in log.read_text().splitlines()
        if line.startswith("Trial ") and "learning_rate" in line
    ]


@pytest.fixture
def led(bag, tmp_path, monkeypatch):
    """A chief that has two trials to give out and takes a worker for lost after a second."""
    monkeypatch.setattr(chief, "HEARTBEAT_SECONDS", 0.1)
    settings = configuration.load(bag, "sample", [*SETTINGS, "tune.trials=2"])
    oracle = build_oracle(settings, check_metric(bag, "val_loss", ""), distributed=True)
    oracle._set_project_dir(str(tmp_path), "oracle")
    where, told, failures = f"127.0.0.1:{ports(1)[0]}", [], []

    def lead():
        try:
            chief.serve_trials(oracle, tmp_path, where, told.append, worker_timeout=1)
        except Exception as error:  # or its workers would wait for ever
            failures.append(error)

    thread = threading.Thread(target=lead)
    thread.start()
    yield tmp_path, where, told, failures
    thread.join(20)
    assert not thread.is_alive()


def test_a_lost_workers_trial_goes_to_another(led):
    folder, where, told, failures = led
    with chief.worker_session(folder, where, "one"):
        lost = OracleClient(None).create_trial("one")
    assert lost.status == "RUNNING"
    with chief.worker_session(folder, where, "two"):
        client = OracleClient(None)
        seen = []
        while True:
            trial = client.create_trial("two")
            if trial.status == "STOPPED":
                break
            if trial.status == "IDLE":  # nothing left to give out, but the lost one's may come back
                time.sleep(0.2)
                continue
            seen.append(trial.trial_id)
            client.update_trial(trial.trial_id, {"val_loss": 0.5})
            trial.status = "COMPLETED"
            client.end_trial(trial)
    assert sorted(seen) == ["0", "1"]
    assert lost.trial_id in seen
    assert [trial.trial_id for trial in told] == seen
    assert not failures


def test_too_many_failures_end_the_search(bag, tmp_path):
    settings = configuration.load(bag, "sample", [*SETTINGS, "tune.trials=5"])
    oracle = build_oracle(settings, "min", distributed=True)
    oracle._set_project_dir(str(tmp_path), "oracle")
    where, failures = f"127.0.0.1:{ports(1)[0]}", []

    def lead():
        with pytest.raises(UserError) as error:
            chief.serve_trials(oracle, tmp_path, where, lambda trial: None)
        failures.append(str(error.value))

    thread = threading.Thread(target=lead)
    thread.start()

    def fail_again_and_again():
        with chief.worker_session(tmp_path, where, "one"):
            client = OracleClient(None)
            while True:
                trial = client.create_trial("one")
                trial.status, trial.message = "FAILED", "ValueError: too wide"
                client.end_trial(trial)

    with pytest.raises(UserError, match="exceeded the limit of 3"):
        fail_again_and_again()
    thread.join(20)
    assert failures == [
        "The search has ended: Number of consecutive failures exceeded the limit of 3."
    ]


def test_names_and_addresses(tmp_path):
    for text in ("9000", "host:", "host:x", ":9000", "host:70000"):
        with pytest.raises(UserError, match="write HOST:PORT"):
            chief.parse_address(text)
    for name in ("a/b", "", "the-chief"):
        with (
            pytest.raises(UserError, match="--name"),
            chief.worker_session(tmp_path, "localhost:1", name),
        ):
            pass
    again = chief.worker_session(tmp_path, "localhost:1", "one")
    with (
        chief.worker_session(tmp_path, "localhost:1", "one"),
        pytest.raises(UserError, match="at work already"),
        again,
    ):
        pass


def test_a_trial_is_no_training_by_many(bag, tmp_path):
    config = configuration.load(bag, "sample", [*SETTINGS, "train.strategy=multi_worker"])
    with pytest.raises(UserError, match="a trial is one process"):
        tune(bag, config, tmp_path)


def test_a_port_that_is_taken(bag, tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = configuration.load(bag, "sample", list(SETTINGS))
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=f"Cannot listen on {where}"):
            tune(bag, settings, tmp_path, chief=where)


@pytest.mark.thorough
@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_killed_four_times_it_is_the_unbroken_search(bag, tmp_path, algorithm):
    """The same settings are drawn, the same trials end early, and the same is found."""
    source = film_reviews(tmp_path / "reviews.csv", 30)
    space = (
        "tune.space={model.units: {range: [2, 32]}, model.embedding: {range: [2, 32]}, "
        "train.learning_rate: {range: [0.001, 0.1], log: true}}"
    )
    stopping = "none" if algorithm == "hyperband" else "median"
    sets = [*SETTINGS[1:-1], space, f"tune.algorithm={algorithm}", f"tune.stopping={stopping}"]
    words = ["tune", "bag", "--json", "--trials", 20]
    words += overrides(f"data.source={source}", "train.epochs=3", *sets)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    ended(start([*words, "--run", whole], tmp_path / "whole.log"), tmp_path / "whole.log")

    def trials():
        return len(list(broken.glob("trials/*/metrics.json")))

    for number in range(4):
        log = tmp_path / f"{number}.log"
        process = start([*words, "--run", broken], log)
        until = trials() + 3
        wait(lambda process=process, until=until: trials() >= until or process.poll() == 0, log)
        time.sleep(0.13 * number)
        process.kill()
        process.wait()
    ended(start([*words, "--run", broken], tmp_path / "last.log"), tmp_path / "last.log")

    def found(folder):
        record = read_json(folder / "record.json")
        rows = [{**row, "minutes": 0} for row in record["trials"]]
        return {**record, "hours": 0, "trials": rows}

    assert found(broken) == found(whole)
    assert (broken / "best.yaml").read_bytes() == (whole / "best.yaml").read_bytes()
