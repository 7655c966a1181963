"""One training by several replicas: as by one process, also when a worker is killed on the way.

Replicas of one process train a recurrent network; processes of their own, which must each compile
it, one without recurrence.
"""

import json

import numpy as np
import pytest

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.pipeline import config as configuration
from rnnsuite.pipeline.run import TIMING_COLUMNS, Run
from rnnsuite.pipeline.train import checkpoint, workers
from rnnsuite.pipeline.train.train import train
from tests.processes import (
    ended,
    film_reviews,
    overrides,
    ports,
    python_forked,
    start,
    wait,
)

APP = catalog.find("sentiment")
# Batches of 10 on three replicas, and a last one of fewer: rows that do not go round.
SETTINGS = (
    "train.epochs=3",
    "train.batch_size=10",
    "train.boundaries=[64]",
    "train.checkpoint_minutes=0.001",
    "data.vocabulary_size=100",
    "data.validation=0.3",
    "model.units=8",
    "train.ema=0.5",
    "train.monitor=val_loss",
)
RECURRENT = (*SETTINGS, "model.bidirectional=false", "model.token_dropout=0.2")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return film_reviews(tmp_path_factory.mktemp("data") / "reviews.csv", 240)


def alone(app, source, settings, folder):
    """The training of one process."""
    train(app, configuration.load(app, "sample", [f"data.source={source}", *settings]), folder)
    return Run(app, folder)


def assert_same_training(found: Run, expected: Run):
    assert len(found.history()) == len(expected.history()) == 3
    for one, other in zip(found.history(), expected.history(), strict=True):
        known = {name: value for name, value in other.items() if name not in TIMING_COLUMNS}
        assert {name: one[name] for name in known} == pytest.approx(known, abs=1e-4)
    for one, other in zip(
        found.model().trainable_variables, expected.model().trainable_variables, strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.thorough
def test_a_worker_is_killed_in_mid_epoch_and_comes_back(bag, source, tmp_path):
    run, hosts = tmp_path / "run", [f"127.0.0.1:{port}" for port in ports(2)]

    def worker(number):
        place = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": number}}
        sets = overrides(f"data.source={source}", *SETTINGS, "train.strategy=multi_worker")
        # Only the chief's folder is ever written to.
        words = [
            "train",
            "bag",
            "--json",
            "--run",
            run if number == 0 else tmp_path / "none",
            *sets,
        ]
        return start(words, tmp_path / f"worker{number}", TF_CONFIG=json.dumps(place))

    both = [worker(number) for number in range(2)]

    def in_mid_epoch():
        assert all(each.poll() is None for each in both), (tmp_path / "worker0").read_text()[-3000:]
        stored = checkpoint.load(run / "checkpoints")
        return stored and stored[1]["epoch"] >= 1 and stored[1]["step"] > 5 and stored[1]

    progress = wait(in_mid_epoch, tmp_path / "worker0")
    both[1].kill()
    both[1].wait()
    before = checkpoint.load(run / "checkpoints")[1]
    assert (before["epoch"], before["step"]) >= (progress["epoch"], progress["step"])
    both[1] = worker(1)
    metrics = [ended(each, tmp_path / f"worker{number}") for number, each in enumerate(both)]
    expected = alone(bag, source, SETTINGS, tmp_path / "alone")
    assert_same_training(Run(bag, run), expected)
    said = (tmp_path / "worker0").read_text()
    resumed = [line for line in said.splitlines() if "Resuming" in line]
    assert "a worker was lost" in said
    assert len(resumed) == 1
    assert (
        f"epoch {before['epoch'] + 1}, step {before['step']}" in resumed[0]
    )  # and nothing before it was repeated
    assert metrics[0]["val_loss"] == metrics[1]["val_loss"]
    assert metrics[1]["worker"] == 1
    assert (run / "report.html").is_file()
    assert not (tmp_path / "none").exists()


MIRRORED = """
import json, sys
import tensorflow as tf
device = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [device] * 3)
from rnnsuite import catalog
from rnnsuite.pipeline import config
from rnnsuite.pipeline.train.train import train
sentiment = catalog.find("sentiment")
train(sentiment, config.load(sentiment, "sample", sys.argv[2:]), sys.argv[1])
"""


@pytest.mark.thorough
def test_three_replicas_in_one_process(source, tmp_path):
    settings = [f"data.source={source}", *RECURRENT, "train.strategy=mirrored"]
    status, said = python_forked(["-c", MIRRORED, str(tmp_path / "run"), *settings])
    assert status == 0, said[-3000:]
    expected = alone(APP, source, RECURRENT, tmp_path / "alone")
    assert_same_training(Run(APP, tmp_path / "run"), expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs TF_CONFIG, such as"),
        ("{", "TF_CONFIG is unusable"),
        ("[]", "TF_CONFIG is unusable"),
        ('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG is unusable"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "TF_CONFIG is unusable",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
            "TF_CONFIG is unusable",
        ),
    ],
)
def test_an_unusable_place_is_named(text, said):
    with pytest.raises(UserError, match=said):
        workers.cluster_position({"TF_CONFIG": text})


def test_places():
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    text = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}})
    assert workers.cluster_position({"TF_CONFIG": text}) == (3, 2)
    text = json.dumps({"cluster": cluster, "task": {"type": "chief", "index": 0}})
    assert workers.cluster_position({"TF_CONFIG": text}) == (3, 0)


def test_a_loss_scale_does_not_go_with_replicas():
    settings = configuration.load(
        APP, "sample", ["train.strategy=mirrored", "train.precision=mixed_float16"]
    )
    with pytest.raises(UserError, match="mixed_bfloat16"):
        workers.start(settings.train)
