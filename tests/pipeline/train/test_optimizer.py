"""Learning rates by hand, and the optimizer that a configuration names."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.pipeline.settings import Train
from rnnsuite.pipeline.train.optimizer import LayerRates, Schedule, build_optimizer

BASE = Train(learning_rate=0.5, warmup=0.1)


def built(settings, steps):
    return build_optimizer(settings, Schedule(settings, steps))


def rates(steps=100, **changes):
    schedule = Schedule(dataclasses.replace(BASE, **changes), steps)
    return np.array([float(schedule(step)) for step in range(steps)])


def test_the_rate_rises_in_a_tenth_of_all_steps():
    found = rates(schedule="constant")
    np.testing.assert_allclose(found[:10], 0.5 * np.arange(1, 11) / 10, rtol=1e-5)
    np.testing.assert_allclose(found[10:], 0.5, rtol=1e-5)


@pytest.mark.parametrize("warmup", [0.0, 0.001])
def test_without_a_warmup_it_begins_at_its_peak(warmup):
    assert rates(schedule="constant", warmup=warmup)[0] == pytest.approx(0.5)


def test_cosine_and_linear_fall_to_nothing():
    steps = np.arange(10, 100)
    cosine = 0.5 * (0.5 + 0.5 * np.cos(math.pi * steps / 100))
    np.testing.assert_allclose(rates(schedule="cosine")[10:], cosine, rtol=1e-4)
    np.testing.assert_allclose(rates(schedule="linear")[10:], 0.5 * (1 - steps / 100), rtol=1e-4)
    for schedule in ("cosine", "linear"):
        assert float(Schedule(dataclasses.replace(BASE, schedule=schedule), 100)(250)) < 1e-6


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adamw", keras.optimizers.AdamW),
        ("adam", keras.optimizers.Adam),
        ("rmsprop", keras.optimizers.RMSprop),
        ("sgd", keras.optimizers.SGD),
    ],
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_optimizer_that_is_named(name, kind, decay):
    optimizer = built(dataclasses.replace(BASE, optimizer=name, weight_decay=decay), 10)
    assert type(optimizer) is kind
    assert (optimizer.weight_decay or 0) == decay
    assert optimizer.global_clipnorm == 1.0


def test_no_bound_on_gradients():
    assert built(dataclasses.replace(BASE, clip_norm=0.0), 10).global_clipnorm is None


def test_float16_scales_its_loss():
    optimizer = built(dataclasses.replace(BASE, precision="mixed_float16"), 10)
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def test_a_step_of_each_lowers_a_square():
    for name in ("adamw", "adam", "rmsprop", "sgd"):
        settings = dataclasses.replace(BASE, optimizer=name, learning_rate=0.05, warmup=0.0)
        weight = keras.Variable(np.ones(3, "float32"))
        optimizer = built(settings, 50)
        for _ in range(20):
            optimizer.apply([2 * tf.convert_to_tensor(weight)], [weight])
        assert float(np.abs(weight).max()) < 0.8


def test_the_rate_follows_the_share_of_a_drawn_window():
    settings = dataclasses.replace(BASE, optimizer="sgd", warmup=0.0, clip_norm=0.0)
    settings = dataclasses.replace(settings, schedule="constant", weight_decay=0.0)
    schedule = Schedule(settings, 10)
    moved = []
    for share in (1.0, 0.25):
        weight = keras.Variable(np.zeros(1, "float32"))
        schedule.share.assign(share)
        build_optimizer(settings, schedule).apply([tf.ones([1])], [weight])
        moved.append(float(weight[0]))
    assert moved[1] == pytest.approx(moved[0] / 4)


class TestLayerRates:
    def model(self):
        x = keras.Input([2])
        h = keras.layers.Dense(3, name="first")(x)
        return keras.Model(x, keras.layers.Dense(1, name="second")(h))

    def moved(self, rates):
        model = self.model()
        before = {weight.path: weight.numpy() for weight in model.weights}
        weights = [weight.value for weight in model.weights]

        def step():
            for weight in weights:
                weight.assign_add(tf.ones_like(weight))

        LayerRates(model, rates).take(step)
        return {
            weight.path: np.unique((weight.numpy() - before[weight.path]).round(5)).tolist()
            for weight in model.weights
        }

    def test_a_share_of_the_rate_is_a_share_of_the_step(self):
        for path, change in self.moved({"first": 0.25}).items():
            assert change == ([0.25] if path.startswith("first") else [1.0])

    def test_without_any_all_take_the_whole_step(self):
        assert set(map(tuple, self.moved({}).values())) == {(1.0,)}

    def test_a_layer_that_is_not_there_is_named(self):
        with pytest.raises(UserError, match=r"there is no layer 'frist'\. Did you mean .*first"):
            LayerRates(self.model(), {"frist": 0.3})
