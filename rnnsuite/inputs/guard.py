"""A condition in the graph that what comes after it waits for."""

import tensorflow as tf


def require(value: tf.Tensor, condition: tf.Tensor, message: str) -> tf.Tensor:
    """Asserts in a graph, before anything is computed from the result.

    An assertion alone is only one more operation beside the others: they may fill the memory with
    what it forbids.

    Args:
        value: passed through.
        condition: boolean scalar.
        message: of the error.

    Returns:
        `value`.

    Raises:
        InvalidArgumentError: at run time, where the condition does not hold.
    """
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(value)
