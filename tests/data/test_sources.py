"""Batches: altered examples, and records evenly spread."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data import batches
from rnnsuite.data.records import collect


def altered_batches(seed, augment=None):
    examples = tf.data.Dataset.range(20).map(lambda n: (tf.fill([3], n), n))
    found = batches.bucketed(examples, lambda x: tf.size(x), [4], 6, seed, augment)
    return [(inputs.numpy(), targets.numpy()) for inputs, targets in found]


def drawn(inputs, targets, seed):
    noise = tf.random.stateless_uniform(tf.shape(inputs), seed, 0, 2**30, tf.int64)
    return inputs * 0 + noise, targets


def test_every_example_and_every_epoch_is_altered_in_its_own_way():
    first, again, other = (
        altered_batches(1, drawn),
        altered_batches(1, drawn),
        altered_batches(2, drawn),
    )
    for (inputs, _), (same, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(inputs, same)
    values = np.concatenate([inputs[:, 0] for inputs, _ in [*first, *other]])
    assert len(set(values.tolist())) == 40


def test_without_an_order_nothing_is_altered():
    for inputs, targets in altered_batches(None, drawn):
        np.testing.assert_array_equal(inputs[:, 0], targets)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, list(range(10))), (3, [0, 3, 6]), (5, [0, 2, 4, 6, 8]), (99, list(range(10)))],
)
def test_few_records_are_evenly_spread(limit, expected):
    records = tf.data.Dataset.range(10).filter(lambda n: n >= 0).map(lambda n: {"n": n})
    assert [record["n"] for record in collect(records, limit)] == expected


def test_no_records():
    with pytest.raises(UserError, match="no records"):
        collect(tf.data.Dataset.range(0), 3)


def test_as_many_in_a_batch_as_have_so_many_tokens():
    examples = tf.data.Dataset.from_tensor_slices([2] * 12 + [5] * 8 + [9] * 3).map(
        lambda n: (tf.ones([n]), n)
    )
    found = batches.bucketed(examples, lambda x: tf.size(x), [3, 6], lambda bound: 12 // bound)
    shapes = [tuple(inputs.shape) for inputs, _ in found]
    assert sorted(set(shapes)) == [(1, 9), (2, 5), (4, 2)]
    assert (len(shapes), shapes.count((1, 9))) == (3 + 4 + 3, 3)
