"""Several steps in a pass give what one step in a pass gives."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.context import exporting
from rnnsuite.layers import Bidirectional, Stack
from rnnsuite.layers.scan.blocks import STEPS
from rnnsuite.layers.stack import CELLS

LENGTHS = (1, STEPS, STEPS * 2 + 3)


def assert_blocks_are_equal(layer, x, **options):
    graphs = {}
    for target in ("served", "portable"):
        with exporting(target):
            call = tf.function(lambda x: layer(x, **options), autograph=False)
            graphs[target] = call.get_concrete_function(tf.TensorSpec(x.shape, x.dtype))
    expected, found = (tf.nest.flatten(graph(x)) for graph in graphs.values())
    for value, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, value, atol=1e-5)
    return graphs["portable"]


def drawn(length):
    return tf.random.stateless_normal([2, length, 3], [length, 1])


@pytest.mark.parametrize("length", LENGTHS)
def test_one_loop_where_there_is_a_pass(length):
    layer = CELLS["lstm"](4, return_sequences=True, return_state=True)
    graph = assert_blocks_are_equal(layer, drawn(length))
    loops = [each for each in graph.graph.get_operations() if "While" in each.type]
    assert len(loops) == (length >= STEPS)


@pytest.mark.parametrize("cell", sorted(set(CELLS) - {"lstm"}))
def test_of_every_cell(cell):
    assert_blocks_are_equal(CELLS[cell](4, return_sequences=True), drawn(STEPS + 2))


def test_with_zoneout():
    layer = CELLS["lstm"](4, return_sequences=True, return_state=True, zoneout=(0.2, 0.0))
    assert_blocks_are_equal(layer, drawn(20))


@pytest.mark.parametrize("length", LENGTHS)
def test_backwards_with_padding_anywhere(length):
    options = {"go_backwards": True, "zero_output_for_mask": True}
    layer = CELLS["lstm"](4, return_sequences=True, return_state=True, **options)
    mask = np.random.default_rng(length).random([2, length]) < 0.6
    mask[0, -1] = mask[1, 0] = True
    assert_blocks_are_equal(layer, drawn(length), mask=tf.constant(mask))


def test_the_last_output_alone_is_that_of_the_last_step_that_counts():
    assert_blocks_are_equal(CELLS["gru"](4), drawn(40), mask=tf.sequence_mask([20, 3], 40))


def test_in_both_directions_and_on_top_of_each_other():
    mask = tf.sequence_mask([40, 21], 40)
    assert_blocks_are_equal(Stack("gru", 4, 2, bidirectional=True), drawn(40), mask=mask)
    both = Bidirectional(CELLS["lstm"](3, return_sequences=True))
    assert_blocks_are_equal(both, drawn(17), mask=mask[:, :17])


def test_from_states():
    layer = CELLS["lstm"](4, return_sequences=True, return_state=True)
    states = [tf.ones([2, 4]), -tf.ones([2, 4])]
    assert_blocks_are_equal(layer, drawn(19), initial_state=states)
