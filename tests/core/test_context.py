"""What floors tell each other: the target of a graph, recorded states, a replica's rows."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers import GRU


def test_the_target_holds_within_and_comes_back():
    assert context.current_target() == "training"
    with context.exporting("served"):
        assert context.current_target() == "served"
        with context.exporting("lite"):
            assert context.current_target() == "lite"
        assert context.current_target() == "served"
    assert context.current_target() == "training"


def test_it_comes_back_after_an_error():
    def fail():
        with context.exporting("lite"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert context.current_target() == "training"


def test_states_are_recorded_within_only():
    layer = GRU(3)
    x = tf.ones([2, 5, 4])
    with context.record_states() as states:
        layer(x)
    assert [len(steps) for steps in states.values()] == [5]
    with context.record_states() as again:
        pass
    layer(x)
    assert not again
    assert context.recorded_states() is None


@pytest.mark.parametrize(("total", "count"), [(6, 3), (5, 3), (1, 3)])
def test_rows_of_replicas_make_up_the_batch(total, count):
    """Each row once; what fills up the last replica does not count."""
    seen = []
    size = -(-total // count)
    for number in range(count):
        rows = context.ReplicaRows(tf.range(size) + number * size, tf.constant(total))
        indices = rows.indices().numpy()
        mask = np.asarray(rows.mask()).astype(bool)
        assert indices.shape == mask.shape == (size,)
        assert np.all(indices < total)
        seen += indices[mask].tolist()
    assert seen == list(range(total))


def test_random_numbers_are_drawn_for_the_whole_batch():
    def draw(rows):
        return tf.random.stateless_uniform([rows, 3], [1, 2])

    whole = context.random_for_batch(draw, tf.constant(4))
    rows = context.ReplicaRows(tf.constant([2, 3]), tf.constant(4))
    assert context.undivided()
    with context.replica(rows):
        assert not context.undivided()
        part = context.random_for_batch(draw, tf.constant(2))
    np.testing.assert_array_equal(part, whole[2:])
