"""Weights stored in 16 or 8 bits and computed with in 32: a smaller export, the same graph."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError

Kind = Literal["float16", "int8"]
LEVELS = 127
"""int8 goes from -127 to 127, so that 0 is exact and signs are alike."""


def round_weights(model: Any, kind: Kind) -> Any:
    """Rounds a Keras model's weights to what their stored form holds.

    Args:
        model: changed in place.
        kind: float16, or int8 with a scale for each row or column of a matrix; vectors are left as
            they are then.

    Returns:
        The model.

    Raises:
        UserError: where a weight is too large, or no number.
    """
    for weight in model.weights:
        value = np.asarray(weight)
        if weight.dtype == "float32" and is_shortened(value.shape, kind):
            codes, scale = shortened(value, kind)
            if not np.all(np.isfinite(codes)) or not np.all(np.isfinite(scale)):
                raise UserError(
                    f"{weight.path} has values that {kind} cannot hold (float16 goes to 65504): "
                    "export it with export.weights=float32."
                )
            weight.assign(codes.astype(np.float32) * scale)
    return model


def is_shortened(shape: Iterable[Any], kind: Kind) -> bool:
    """Whether a weight of this shape is stored in fewer bits."""
    return kind == "float16" or len(tuple(shape)) > 1


def shortened(value: np.ndarray, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """Codes and scales of a weight, which is their product.

    Args:
        value: float32, of at least two axes for int8.
        kind: of the codes.

    Returns:
        The codes, like value, and float32 scales that are broadcast to it: 1 for float16; for int8
        those of slices along the first or the last axis, whichever loses less.
    """
    if kind == "float16":
        with np.errstate(over="ignore"):
            return value.astype(np.float16), np.ones([1] * value.ndim, np.float32)
    candidates = [_quantized(value, axis) for axis in (0, value.ndim - 1)]
    with np.errstate(invalid="ignore"):
        errors = [np.sum((codes * scale - value) ** 2) for codes, scale in candidates]
    return candidates[int(np.argmin(errors))]


def _quantized(value: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes with a scale for each slice along an axis."""
    others = tuple(other for other in range(value.ndim) if other != axis)
    scale = np.max(np.abs(value), axis=others, keepdims=True) / np.float32(LEVELS)
    with np.errstate(invalid="ignore"):
        codes = np.rint(value / np.where(scale == 0, np.float32(1), scale))
        return np.clip(codes, -LEVELS, LEVELS).astype(np.int8), scale


class StoredVariable(tf.saved_model.experimental.TrackableResource):
    """A float32 variable in memory that a SavedModel stores in fewer bits, filled when it is
    loaded.

    Args:
        variable: the float32 variable whose place it takes.
        kind: how it is stored.
    """

    def __init__(self, variable: tf.Variable, kind: Kind):
        super().__init__()
        value = variable.numpy()
        self.shape = variable.shape
        parts = [tf.constant(part) for part in shortened(value, kind)]
        self.stored, self.scale = (tf.Variable(part, trainable=False) for part in parts)
        # In one session the same name is the same memory: it must be the content's.
        content = value.tobytes() + str(self.shape).encode()
        self.key = f"widened_{hashlib.sha256(content).hexdigest()}"

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=self.shape, shared_name=self.key)

    def _initialize(self):
        wide = tf.cast(self.stored, tf.float32) * self.scale
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=wide)


def shorten(variables: Iterable[tf.Variable], kind: Kind) -> dict[int, StoredVariable]:
    """A `StoredVariable` for each variable that is stored in fewer bits, by the variable's `id`."""
    return {
        id(variable): StoredVariable(variable, kind)
        for variable in variables
        if variable.dtype == tf.float32 and is_shortened(variable.shape, kind)
    }


def store(functions: Iterable[Any], kind: Kind) -> Mapping[int, StoredVariable]:
    """Puts a `StoredVariable` in the place of float32 variables of concrete functions.

    Args:
        functions: changed in place.
        kind: how they are stored.

    Returns:
        The new variables by the `id` of those whose place they took.
    """
    functions = list(functions)
    variables = {id(v): v for function in functions for v in function.variables}
    stored = shorten(variables.values(), kind)
    handles = {id(variables[key].handle): new.resource_handle for key, new in stored.items()}
    for function in functions:
        captures = [handles.get(id(capture), capture) for capture in function.captured_inputs]
        function.set_external_captures(captures)
    return stored
