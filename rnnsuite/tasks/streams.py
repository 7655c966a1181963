"""The signature that a stream is fed through."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.layers import StateSpec


def stream_signature(
    step: Callable[..., Mapping[str, Any]],
    name: str,
    shape: Sequence[int],
    states: Mapping[str, StateSpec],
) -> Signature:
    """A signature of what comes next and the states, also for devices.

    Args:
        step: `step(**inputs)` gives the outputs and, under their names, the states after.
        name: of the input that is no state.
        shape: of this float32 input, without the batch.
        states: their shapes without the batch, and types; all begin as zeros.

    Returns:
        The signature.
    """
    specs: dict[str, Any] = {name: tf.TensorSpec([None, *shape], tf.float32, name=name)}
    for state, spec in states.items():
        specs[state] = tf.TensorSpec([None, *spec.shape], spec.dtype, name=state)
    example = {
        key: np.zeros([2, *spec.shape[1:]], spec.dtype.as_numpy_dtype)
        for key, spec in specs.items()
    }
    return Signature(step, specs, example, lite=True)
