"""A condition in the graph that what comes after it waits for."""

import tensorflow as tf


def held(value: tf.Tensor, condition: tf.Tensor, message: str) -> tf.Tensor:
    """`value` where the condition holds; InvalidArgumentError with the message otherwise.

    What is computed from the result is not begun before the condition is known. An assertion alone is
    only one more operation beside the others: they may fill the memory with what it forbids.
    """
    with tf.control_dependencies([tf.debugging.Assert(condition, [message])]):
        return tf.identity(value)
