"""Batches: altered examples, and records evenly spread."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import evaluate, sources
from rnnsuite.errors import UserError


def batches(seed, augment=None):
    examples = tf.data.Dataset.range(20).map(lambda n: (tf.fill([3], n), n))
    found = sources.batches(examples, lambda x: tf.size(x), [4], 6, seed, augment)
    return [(inputs.numpy(), targets.numpy()) for inputs, targets in found]


def drawn(inputs, targets, seed):
    noise = tf.random.stateless_uniform(tf.shape(inputs), seed, 0, 2**30, tf.int64)
    return inputs * 0 + noise, targets


def test_every_example_and_every_epoch_is_altered_in_its_own_way():
    first, again, other = batches(1, drawn), batches(1, drawn), batches(2, drawn)
    for (inputs, _), (same, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(inputs, same)
    values = np.concatenate([inputs[:, 0] for inputs, _ in [*first, *other]])
    assert len(set(values.tolist())) == 40


def test_without_an_order_nothing_is_altered():
    for inputs, targets in batches(None, drawn):
        np.testing.assert_array_equal(inputs[:, 0], targets)


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, list(range(10))), (3, [0, 3, 6]), (5, [0, 2, 4, 6, 8]), (99, list(range(10)))]
)
def test_few_records_are_evenly_spread(limit, expected):
    records = tf.data.Dataset.range(10).filter(lambda n: n >= 0).map(lambda n: {"n": n})
    assert [record["n"] for record in evaluate.collect(records, limit)] == expected


def test_no_records():
    with pytest.raises(UserError, match="no records"):
        evaluate.collect(tf.data.Dataset.range(0), 3)
