"""What follows a condition waits for it."""

import pytest
import tensorflow as tf

from rnnsuite.inputs.guard import require


@tf.function
def repeated(count):
    count = require(count, count < 10, "too many")
    return tf.zeros([count * 2])


def test_what_holds_passes():
    assert repeated(tf.constant(3)).shape == [6]


def test_nothing_is_computed_from_what_does_not_hold():
    # 2**34 numbers would fill the memory before an assertion beside them is read.
    with pytest.raises(tf.errors.InvalidArgumentError, match="too many"):
        repeated(tf.constant(2**30))
