"""What a training says of its data before it begins."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import catalog
from rnnsuite.core.errors import UserError
from rnnsuite.data import batches
from rnnsuite.pipeline.settings import Train
from rnnsuite.pipeline.train import overview
from rnnsuite.pipeline.train.task import _padding

DATA = catalog.find("sentiment").data


def examples(lengths, numbers=None):
    numbers = numbers or [0] * len(lengths)
    pairs = tf.data.Dataset.from_tensor_slices((lengths, numbers))
    return pairs.map(lambda length, number: (tf.ones([length], tf.int32), number))


def test_lengths_and_classes_are_counted():
    found = overview.summarise("train", examples([1, 2, 2, 9], [0, 1, 1, 1]), DATA, ("a", "b"))
    assert found.examples == 4
    assert found.size == 14 + 4
    assert found.classes == {"a": 1, "b": 3}
    assert found.line() == "train: 4 examples; length 1 to 9, half up to 2, 95 % up to 7; b 3, a 1"
    assert found.values() == {
        "examples": 4,
        "lengths": {"shortest": 1.0, "median": 2.0, "longest": 9.0},
        "classes": {"a": 1, "b": 3},
    }


def test_many_classes_are_cut():
    names = tuple(f"c{number}" for number in range(20))
    found = overview.summarise("train", examples([1] * 20, list(range(20))), DATA, names)
    assert found.line().endswith("and 8 more classes")


def test_a_class_with_few_examples_is_warned_of(caplog):
    caplog.set_level(logging.INFO)
    train = overview.SplitSummary("train", np.ones(9), 9, {"a": 8, "review": 1})
    held_out = overview.SplitSummary("validation", np.ones(1), 1, {"a": 1, "review": 0})
    overview.report([train, held_out])
    assert "fewer than 5 training examples: review 1. Is each a class?" in caplog.text
    assert caplog.text.count("fewer than") == 1


def test_the_share_of_padding_is_measured():
    some = examples([2, 4, 4, 3])
    batched = batches.bucketed(some, lambda x: tf.size(x), [4], 2)
    summary = overview.summarise("train", some, DATA, None)
    # Two batches of 2 x 4 steps and two targets each, of 13 steps and four targets.
    assert _padding(batched, summary) == (2, pytest.approx(1 - (13 + 4) / (16 + 4)))


def test_a_split_without_examples_is_named_with_the_key_that_mends_it():
    with pytest.raises(UserError, match=r"The train split holds no examples\..*data\.validation"):
        overview.summarise("train", examples([1]).take(0), DATA, None)


@pytest.mark.parametrize(
    ("lengths", "padding", "settings", "said"),
    [
        ([5] * 100, 0.0, {"batch_size": 64}, "train.batch_size=4"),
        ([5] * 2000, 0.0, {"batch_size": 64}, ""),
        ([1] * 1000 + [90] * 1000, 0.5, {}, "train.boundaries=[1,90]"),
        ([1] * 1000 + [90] * 1000, 0.1, {}, ""),
    ],
)
def test_suggestions_follow_from_the_data(lengths, padding, settings, said, caplog):
    caplog.set_level(logging.INFO)
    train = overview.SplitSummary("train", np.array(lengths), sum(lengths), {})
    overview.suggest(train, padding, 2, Train(**settings))
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)
