"""Samples to steps of a recurrent layer."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.layers.streamable import StateSpec, Streamable


@keras.saving.register_keras_serializable("rnnsuite")
class Frames(keras.layers.Layer, Streamable):
    """Samples `[batch, time * hop, channels]`, scaled, to steps `[batch, time, width]`: each holds
    its own samples and those of the steps before it, (context + 1) * hop * channels numbers.

    Before the first sample stand zeros, which is every channel's mean. Samples that fill no step
    are left out.

    Args:
        hop: samples from one step to the next.
        context: steps before its own that a step holds.
        mean, deviation: of each channel, which are subtracted and divided by.
    """

    def __init__(
        self, hop: int, context: int, mean: Sequence[float], deviation: Sequence[float], **options
    ):
        super().__init__(**options)
        self.hop = hop
        self.context = context
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]

    @property
    def states(self) -> dict[str, StateSpec]:
        width = self.hop * len(self.mean)
        return {"before": StateSpec((self.context, width))} if self.context else {}

    def call(self, x_BxNxC):
        steps_BxTxD = self._steps(x_BxNxC)
        before = ops.zeros_like(steps_BxTxD[:, :1])
        return self._joined(ops.concatenate([*[before] * self.context, steps_BxTxD], axis=1))

    def stream(self, x, states):
        steps = self._steps(x)
        if not self.context:
            return steps, {}
        whole = tf.concat([states["before"], steps], axis=1)
        return self._joined(whole), {"before": whole[:, -self.context :]}

    def _steps(self, x_BxNxC):
        hop = self.hop
        channels = len(self.mean)
        scaled = (ops.cast(x_BxNxC, "float32") - ops.array(self.mean)) / ops.array(self.deviation)
        count = ops.shape(scaled)[1] // hop
        return ops.reshape(scaled[:, : count * hop], (-1, count, hop * channels))

    def _joined(self, x):
        count = ops.shape(x)[1] - self.context
        parts = [x[:, place : place + count] for place in range(self.context + 1)]
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, shape):
        steps = None if shape[1] is None else shape[1] // self.hop
        return (shape[0], steps, (self.context + 1) * self.hop * len(self.mean))

    def get_config(self):
        names = ("hop", "context", "mean", "deviation")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
