"""Training on contiguous examples: states go from batch to batch, and into checkpoints."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.app import App, Data, Model, Serving
from rnnsuite.core.errors import UserError
from rnnsuite.core.section import section
from rnnsuite.data.batches import contiguous
from rnnsuite.data.source_config import SourceConfig
from rnnsuite.layers import GRU
from rnnsuite.pipeline.config import Schema
from rnnsuite.pipeline.run import Run
from rnnsuite.pipeline.train import checkpoint
from rnnsuite.pipeline.train.loop import Loop
from rnnsuite.pipeline.train.step import validate
from rnnsuite.pipeline.train.train import train

STEPS = {"train": 203, "validation": 50}


@section
class DataConfig(SourceConfig):
    """What to read."""


@section
class ModelConfig:
    """Sizes."""

    units: int = 3
    """Units."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Nothing."""


def load(config, split):
    rng = np.random.default_rng(len(split))
    return tf.data.Dataset.from_tensors({"x": rng.normal(size=[STEPS[split], 2]).astype("float32")})


def examples(config, fitted, records):
    return records.map(lambda record: ({"x": record["x"]}, tf.roll(record["x"][:, 0], -1, 0)))


def build(config, fitted):
    x = keras.Input([None, 2], name="x")
    before = keras.Input([config.units], name="state")
    layer = GRU(config.units, return_sequences=True, return_state=True, name="recurrent")
    h, after = layer(x, initial_state=[before])
    value = keras.layers.Dense(1, name="head")(h)[..., 0]
    return keras.Model({"x": x, "state": before}, {"value": value, "state": after})


def loss(config, targets, outputs):
    return {"loss": tf.reduce_mean(tf.square(outputs["value"] - targets), axis=1)}


APP = App(
    "memory",
    Data(
        config=DataConfig,
        fitted=Fitted,
        load=load,
        fit=lambda config, records: Fitted(),
        examples=examples,
        length=lambda inputs: tf.shape(inputs["x"])[0],
        order="contiguous",
    ),
    Model(config=ModelConfig, build=build, loss=loss, metrics={"loss": "min"}),
    Serving(fields={}, answer=Fitted, signatures=lambda trained: {}),
)


def settings(**train):
    values = {"epochs": 2, "batch_size": 4, "window": 9, "checkpoint_minutes": 1e-9, **train}
    return Schema.of(APP).build({"train": values})


def test_windows_follow_each_other():
    whole = np.arange(203)
    data = tf.data.Dataset.from_tensors(({"x": whole}, whole))
    batches = list(contiguous(data, batch_size=4, window=9))
    assert [batch[0]["x"].shape for batch in batches] == [(4, 9)] * 5 + [(4, 5)]
    rows = np.concatenate([batch[0]["x"] for batch in batches], axis=1)
    np.testing.assert_array_equal(rows, whole[:200].reshape(4, 50))


def test_examples_are_laid_end_to_end():
    parts = tf.data.Dataset.from_tensor_slices([3, 1, 4]).map(lambda n: (tf.range(n), tf.range(n)))
    (batch,) = contiguous(parts, batch_size=2, window=9)
    np.testing.assert_array_equal(batch[0], [[0, 1, 2, 0], [0, 1, 2, 3]])
    assert not list(contiguous(parts, batch_size=9, window=9))


def validated(trainer, task):
    return validate(trainer, task.validation)["loss"]


def test_validation_carries_states_through_the_whole_text(tmp_path, monkeypatch):
    """The mean over windows is that of one pass over every row from end to end."""
    values = []

    def run_epochs(self, _):
        batches = list(self.task.validation)
        x = tf.concat([inputs["x"] for inputs, _ in batches], axis=1)
        y = tf.concat([targets for _, targets in batches], axis=1)
        model = self.task.model
        whole = loss(None, y, model({"x": x, "state": tf.zeros([4, 3])}))["loss"]
        values.extend([validated(self.trainer, self.task), float(tf.reduce_mean(whole))])
        alone = [loss(None, t, model({**i, "state": tf.zeros([4, 3])}))["loss"] for i, t in batches]
        values.append(float(np.mean(np.concatenate(alone))))
        return {"app": "memory"}

    monkeypatch.setattr(Loop, "run_epochs", run_epochs)
    train(APP, settings(window=5), tmp_path / "run")
    carried, whole, reset = values
    assert carried == pytest.approx(whole, abs=1e-6)
    assert carried != pytest.approx(reset, abs=1e-6)


class Killed(Exception):
    pass


def test_an_interrupted_training_goes_on_with_the_states(tmp_path, monkeypatch):
    expected = train(APP, settings(), tmp_path / "whole")
    step = Loop._step
    count = 0

    def killed(self, inputs, targets):
        nonlocal count
        count += 1
        if count == 9:  # in the second epoch
            raise Killed
        step(self, inputs, targets)

    monkeypatch.setattr(Loop, "_step", killed)
    with pytest.raises(Killed):
        train(APP, settings(), tmp_path / "run")
    monkeypatch.setattr(Loop, "_step", step)
    stored, progress = checkpoint.load(tmp_path / "run" / "checkpoints")
    assert progress["step"] > 0
    assert np.abs(stored[-1]).max() > 0  # the carried state
    assert train(APP, settings(), tmp_path / "run") == expected
    whole = checkpoint.load(tmp_path / "whole" / "checkpoints")[0]
    for found, wanted in zip(
        checkpoint.load(tmp_path / "run" / "checkpoints")[0], whole, strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


def test_replicas_cannot_share_a_state(tmp_path):
    with pytest.raises(UserError, match="contiguous examples are trained by one process"):
        train(APP, settings(strategy="mirrored"), tmp_path / "run")


def test_an_app_may_be_only_served(tmp_path):
    """No sample, no scoring, no device, no stream."""
    train(APP, settings(epochs=1), tmp_path / "run")
    assert Run(APP, tmp_path / "run").metrics()["val_loss"] > 0


def test_every_epoch_begins_from_zeros_and_goes_on_from_there(tmp_path, monkeypatch):
    """What the first step of an epoch sees is no state; later ones see the one before's."""
    seen = []
    step = Loop._step

    def noted(self, inputs, targets):
        (state,) = self.trainer.states.values()
        seen.append((self.progress.epoch, self.progress.step, float(np.abs(state).max())))
        step(self, inputs, targets)

    monkeypatch.setattr(Loop, "_step", noted)
    train(APP, settings(epochs=3), tmp_path / "run")
    assert len({epoch for epoch, _, _ in seen}) == 3
    for _, number, size in seen:
        assert (size == 0) == (number == 0)
