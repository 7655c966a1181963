"""AutoGraph leaves our functions alone, and converts those of others."""

import tensorflow as tf
from tensorflow.python.autograph.impl import conversion

from rnnsuite import layers
from rnnsuite.core.autograph import OURS, leave_ours
from rnnsuite.data import batches


def test_ours_are_left_as_they_are_written():
    assert layers
    assert conversion.is_allowlisted(batches.bucketed)
    assert not conversion.is_allowlisted(test_ours_are_left_as_they_are_written)


def test_the_rules_are_told_once():
    from tensorflow.python.autograph.core import config

    before = config.CONVERSION_RULES
    leave_ours()
    assert before == config.CONVERSION_RULES
    assert len(OURS) == 2


def test_functions_of_others_may_ask_tensors():
    def absolute(x):
        if x < 0:
            return -x
        return x

    values = tf.data.Dataset.from_tensor_slices([-2, 3]).map(absolute)
    assert list(values.as_numpy_iterator()) == [2, 3]
