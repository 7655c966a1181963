"""What a training changes in its whole process, put back when it ends."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf
from tensorflow.python.framework import config as framework


@contextlib.contextmanager
def reproducible(seed: int, precision: str) -> Iterator[None]:
    """Within, operations are deterministic, layers have this precision, and the seed is set.

    Args:
        seed: of Python, numpy and Keras.
        precision: Keras's dtype policy of new layers.

    Yields:
        None.
    """
    policy = keras.config.dtype_policy()
    deterministic = framework.is_op_determinism_enabled()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        if not deterministic:
            framework.disable_op_determinism()
