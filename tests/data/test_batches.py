"""Contiguous batches: one long sequence in rows that go on from batch to batch."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.data import batches


def examples(lengths):
    """Numbers that count through all examples; the target is the number after."""
    ends = np.cumsum([0, *lengths])
    parts = [np.arange(start, end) for start, end in itertools.pairwise(ends)]

    def give():
        for part in parts:
            yield {"x": part}, part + 1

    spec = tf.TensorSpec([None], tf.int64)
    return tf.data.Dataset.from_generator(give, output_signature=({"x": spec}, spec))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 5))
def test_rows_go_on_where_they_ended(lengths, batch_size, window):
    found = list(batches.contiguous(examples(lengths), batch_size, window).as_numpy_iterator())
    steps = sum(lengths) // batch_size
    if not steps:
        assert found == []
        return
    x = np.concatenate([inputs["x"] for inputs, _ in found], axis=1)
    np.testing.assert_array_equal(x, np.arange(batch_size * steps).reshape(batch_size, steps))
    for inputs, targets in found:
        np.testing.assert_array_equal(targets, inputs["x"] + 1)
    assert all(inputs["x"].shape == (batch_size, window) for inputs, _ in found[:-1])
    assert 1 <= found[-1][1].shape[1] <= window


@pytest.mark.parametrize("size", [2, lambda bound: bound])
def test_buckets_hold_examples_of_like_length(size):
    data = tf.data.Dataset.from_tensor_slices([1, 5, 2, 6, 1, 9]).map(lambda n: (tf.ones([n]), n))
    found = list(batches.bucketed(data, lambda x: tf.size(x), [3, 7], size).as_numpy_iterator())
    for inputs, lengths in found:
        assert inputs.shape == (len(lengths), max(lengths))
        assert len({sum(length > bound for bound in (3, 7)) for length in lengths}) == 1
    assert sorted(length for _, lengths in found for length in lengths) == [1, 1, 2, 5, 6, 9]


def test_drawn_windows_vary_by_their_seed_and_leave_nothing_out():
    rows = batches.end_to_end(examples([4000]), 4)

    def drawn(seed):
        found = list(batches.windows(rows, 50, 5.0, seed).as_numpy_iterator())
        joined = np.concatenate([inputs["x"] for inputs, _ in found], axis=1)
        np.testing.assert_array_equal(joined, np.arange(4000).reshape(4, 1000))
        return [targets.shape[1] for _, targets in found]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    sizes = np.concatenate([drawn(seed)[:-1] for seed in range(40)])
    long = sizes[sizes > 37]
    assert 48 < long.mean() < 52
    assert 4 < long.std() < 6
    assert 0.02 < np.mean(sizes <= 37) < 0.09  # one of twenty is half as long


@pytest.mark.parametrize("size", [1, 2, 9])
def test_records_are_encoded_many_at_once_and_come_one_by_one(size):
    records = tf.data.Dataset.from_tensor_slices([b"a b", b"", b"c d e"])

    def encode(batch):
        words = tf.strings.split(batch)
        return {"words": words, "count": words.row_lengths()}

    rows = batches.encoded(records, encode, size)
    assert rows.element_spec["words"] == tf.TensorSpec([None], tf.string)
    found = list(rows.as_numpy_iterator())
    assert [row["words"].tolist() for row in found] == [[b"a", b"b"], [], [b"c", b"d", b"e"]]
    assert [int(row["count"]) for row in found] == [2, 0, 3]
    pairs = batches.encoded(records, lambda batch: (tf.strings.length(batch), batch), size)
    assert list(pairs.as_numpy_iterator()) == [(3, b"a b"), (0, b""), (5, b"c d e")]


def test_the_shortest_come_first():
    lengths = [7, 1, 9, 3, 8, 2, 5, 4, 6, 30]
    examples = tf.data.Dataset.from_generator(
        lambda: ((np.ones(size, "f"), size) for size in lengths),
        output_signature=(tf.TensorSpec([None]), tf.TensorSpec([], tf.int32)),
    )

    def sizes(shortest_first):
        batched = batches.bucketed(
            examples, lambda x: tf.shape(x)[0], [3, 6], 2, seed=1, shortest_first=shortest_first
        )
        return [batch[1].numpy().tolist() for batch in batched]

    ordered = sizes(True)
    assert sorted(itertools.chain(*ordered)) == sorted(lengths)
    bounds = [max(batch) for batch in ordered]
    assert [bound > 3 for bound in bounds] == sorted(bound > 3 for bound in bounds)
    assert [bound > 6 for bound in bounds] == sorted(bound > 6 for bound in bounds)
    assert ordered == sizes(True)
    assert sizes(False) != ordered


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (1, 4), (4, 4), (9, 12)])
def test_few_lengths_are_made_of_many(size, expected):
    padded = batches.in_grains(tf.ones([size]), 4)
    assert len(padded) == expected
    assert tf.reduce_sum(padded) == size
