"""Weights that are stored in 16 bits and computed with in 32: half the size on disk, the same speed."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.errors import UserError


def rounded(model: Any) -> Any:
    """The Keras model, its weights rounded to what 16 bits hold. Raises UserError where one is too large for them."""
    for weight in model.weights:
        if weight.dtype == "float32":
            value = np.asarray(weight)
            with np.errstate(over="ignore"):
                halved = value.astype(np.float16)
            if not np.all(np.isfinite(halved)):
                raise UserError(f"{weight.path} has values over 65504: export it with export.weights=float32.")
            weight.assign(halved.astype(np.float32))
    return model


class _Widened(tf.saved_model.experimental.TrackableResource):
    """A float32 variable in memory that a SavedModel stores as float16; it is filled when the model is loaded."""

    def __init__(self, variable: tf.Variable):
        super().__init__()
        self.shape, value = variable.shape, variable.numpy()
        self.stored = tf.Variable(value.astype(np.float16), trainable=False)
        # In one session the same name is the same memory: it must be the content's.
        self.key = f"widened_{hashlib.sha256(value.tobytes() + str(self.shape).encode()).hexdigest()}"

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=self.shape, shared_name=self.key)

    def _initialize(self):
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=tf.cast(self.stored, tf.float32))


def widen(functions: Iterable[Any]) -> list[Any]:
    """Puts such a variable in the place of every float32 one of concrete functions, and gives what to save."""
    made: dict[int, tuple[tf.Variable, _Widened]] = {}
    for function in functions:
        for variable in function.variables:
            if variable.dtype == tf.float32 and id(variable) not in made:
                made[id(variable)] = (variable, _Widened(variable))
    handles = {id(variable.handle): widened.resource_handle for variable, widened in made.values()}
    for function in functions:
        function.set_external_captures([handles.get(id(each), each) for each in function.captured_inputs])
    widened = [each for _, each in made.values()]
    return [*widened, *(each.stored for each in widened)]
