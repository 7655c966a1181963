"""Averages of weights: exponential, and the mean of all steps since training stalled."""

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from rnnsuite.pipeline.settings import Train
from rnnsuite.pipeline.train.averages import Averages


def moved(averages, weight, values):
    step = tf.function(averages.update, autograph=False)
    for number, value in enumerate(values):
        weight.assign([value])
        step(tf.constant(float(number)))


def test_nothing_is_averaged_without_either():
    weight = tf.Variable([1.0])
    averages = Averages([weight], Train())
    assert averages.variables == []
    assert not averages.is_active
    averages.swap()
    assert weight.numpy() == [1.0]


def test_an_exponential_average_warms_up():
    weight = tf.Variable([0.0])
    averages = Averages([weight], Train(ema=0.9))
    values = [1.0, 2.0, 5.0, 3.0]
    moved(averages, weight, values)
    wanted = 0.0
    for number, value in enumerate(values):
        decay = min(0.9, (1 + number) / (10 + number))
        wanted = decay * wanted + (1 - decay) * value
    assert averages.means[0].numpy()[0] == pytest.approx(wanted, rel=1e-5)
    averages.swap()
    assert weight.numpy()[0] == pytest.approx(wanted, rel=1e-5)
    averages.swap()
    assert weight.numpy() == [3.0]


def test_a_triggered_average_is_the_mean_since_then():
    weight = tf.Variable([0.0])
    averages = Averages([weight], Train(average=2))
    moved(averages, weight, [5.0, 9.0])
    assert not averages.is_active
    averages.swap()
    assert weight.numpy() == [9.0]
    assert not averages.is_due(1)
    assert averages.is_due(2)
    averages.begin()
    assert averages.is_active
    assert not averages.is_due(5)
    moved(averages, weight, [1.0, 2.0])
    averages.swap()
    np.testing.assert_allclose(weight.numpy(), [4.0])  # of 9, 1 and 2


def test_all_that_changes_is_in_a_checkpoint():
    weight = tf.Variable([1.0])
    averages = Averages([weight], Train(average=1))
    averages.begin()
    moved(averages, weight, [3.0, 5.0])
    stored = [variable.numpy() for variable in averages.variables]
    restored = Averages([tf.Variable([5.0])], Train(average=1))
    for variable, value in zip(restored.variables, stored, strict=True):
        variable.assign(value)
    assert restored.is_active
    for one in (averages, restored):
        moved(one, one.weights[0], [7.0])
    assert averages.means[0].numpy() == restored.means[0].numpy() == [4.0]


def test_the_two_exclude_each_other():
    with pytest.raises(ValidationError, match="exclude each other"):
        Train(ema=0.9, average=2)
