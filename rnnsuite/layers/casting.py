"""Integer inputs, which Keras's layers take as numbers."""

from typing import Any

import tensorflow as tf


def as_floats(x: Any, dtype: str) -> Any:
    """Integers and booleans cast to `dtype`; anything else as it is.

    Keras casts floating-point inputs of a layer to its compute dtype by itself, integers not: they
    may be ids. A layer that computes with its inputs calls this.

    Args:
        x: a tensor, symbolic or not.
        dtype: the layer's compute dtype.

    Returns:
        The tensor.
    """
    kind = tf.as_dtype(x.dtype)
    return tf.cast(x, dtype) if kind.is_integer or kind.is_bool else x


def rows(x) -> int:
    """The number of rows, for a reshape: -1 where only the graph knows it. A device's loop needs
    it."""
    size = x.shape[0]
    return -1 if size is None else size
