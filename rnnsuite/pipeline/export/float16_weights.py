"""Weights stored in 16 bits and computed with in 32: half the size on disk, the same speed."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError


def round_weights(model: Any) -> Any:
    """Rounds a Keras model's weights to what 16 bits hold.

    Args:
        model: changed in place.

    Returns:
        The model.

    Raises:
        UserError: where a weight is too large for 16 bits.
    """
    for weight in model.weights:
        if weight.dtype == "float32":
            value = np.asarray(weight)
            with np.errstate(over="ignore"):
                halved = value.astype(np.float16)
            if not np.all(np.isfinite(halved)):
                raise UserError(
                    f"{weight.path} has values over 65504: export it with export.weights=float32."
                )
            weight.assign(halved.astype(np.float32))
    return model


class Float16Variable(tf.saved_model.experimental.TrackableResource):
    """A float32 variable in memory that a SavedModel stores as float16, filled when it is loaded.

    Args:
        variable: the float32 variable whose place it takes.
    """

    def __init__(self, variable: tf.Variable):
        super().__init__()
        value = variable.numpy()
        self.shape = variable.shape
        self.stored = tf.Variable(tf.constant(value, tf.float16), trainable=False)
        # In one session the same name is the same memory: it must be the content's.
        content = value.tobytes() + str(self.shape).encode()
        self.key = f"widened_{hashlib.sha256(content).hexdigest()}"

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=self.shape, shared_name=self.key)

    def _initialize(self):
        wide = tf.cast(self.stored, tf.float32)
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=wide)


def store_as_float16(functions: Iterable[Any]) -> Mapping[int, Float16Variable]:
    """Puts a `Float16Variable` in the place of every float32 variable of concrete functions.

    Args:
        functions: changed in place.

    Returns:
        The new variables by the `id` of those whose place they took.
    """
    functions = list(functions)
    variables = {
        id(variable): variable
        for function in functions
        for variable in function.variables
        if variable.dtype == tf.float32
    }
    stored = {key: Float16Variable(variable) for key, variable in variables.items()}
    handles = {id(variables[key].handle): new.resource_handle for key, new in stored.items()}
    for function in functions:
        captures = [handles.get(id(capture), capture) for capture in function.captured_inputs]
        function.set_external_captures(captures)
    return stored
