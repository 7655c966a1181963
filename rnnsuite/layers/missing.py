"""Frames of which some, or some numbers, are missing."""

from collections.abc import Sequence

import keras
from keras import ops

from rnnsuite.layers.casting import rows
from rnnsuite.layers.streamable import Streamable

FINITE = 1e30
"""What is larger is no number."""


@keras.saving.register_keras_serializable("rnnsuite")
class FillMissing(keras.layers.Layer, Streamable):
    """Puts each feature's mean where a number is missing: `[..., features]` to the same.

    Args:
        mean: of every feature.
    """

    def __init__(self, mean: Sequence[float], **options):
        super().__init__(**options)
        self.mean = [float(value) for value in mean]

    def call(self, x):
        x = ops.cast(x, "float32")
        return ops.where(is_number(x), x, ops.array(self.mean))

    def stream(self, x, states):
        return self.call(x), {}

    def get_config(self):
        return {**super().get_config(), "mean": self.mean}


@keras.saving.register_keras_serializable("rnnsuite")
class StepMask(keras.layers.Layer):
    """Which steps hold a frame: values `[batch, frames, numbers]` to bool `[batch, steps]`.

    A frame of zeros alone, or without any number, is none; frames behind the last one that is there
    belong to no step, as if the clip ended with it.

    Args:
        hop: frames of a step; those that fill no step are left out.
    """

    def __init__(self, hop: int, **options):
        super().__init__(**options)
        self.hop = hop

    def call(self, x_BxTxF):
        steps = ops.shape(x_BxTxF)[1] // self.hop
        x_BxTxF = ops.cast(x_BxTxF, "float32")
        is_there_BxTxF = ops.logical_and(is_number(x_BxTxF), ops.not_equal(x_BxTxF, 0))
        there_BxT = ops.max(ops.cast(is_there_BxTxF, "float32"), axis=-1)
        places_T = ops.cast(ops.arange(1, ops.shape(x_BxTxF)[1] + 1), "float32")
        count_Bx1 = ops.max(there_BxT * places_T, axis=1, keepdims=True)
        ends_S = ops.cast(self.hop * ops.arange(1, steps + 1), "float32")
        shape = (rows(x_BxTxF), steps, self.hop)
        by_step = ops.reshape(there_BxT[:, : steps * self.hop], shape)
        return ops.logical_and(ops.max(by_step, axis=-1) > 0, ends_S <= count_Bx1)

    def compute_output_spec(self, x_BxTxF):
        batch, frames, _ = x_BxTxF.shape
        steps = None if frames is None else frames // self.hop
        return keras.KerasTensor((batch, steps), "bool")

    def get_config(self):
        return {**super().get_config(), "hop": self.hop}


def is_number(x):
    """Where a number is neither NaN nor infinite, by operations that devices have."""
    return ops.abs(x) < FINITE  # false for NaN


def present(x):
    """Where something is: 1 for numbers of which one is not 0, 0 for others. `[..., n]` to `[...,
    1]`, float32.
    """
    is_known = ops.all(is_number(x), axis=-1, keepdims=True)
    is_some = ops.any(ops.not_equal(x, 0), axis=-1, keepdims=True)
    return ops.cast(ops.logical_and(is_known, is_some), "float32")
