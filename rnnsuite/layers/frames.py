"""Samples to steps of a recurrent layer."""

from collections.abc import Sequence

import keras
from keras import ops

from rnnsuite.layers.casting import rows
from rnnsuite.layers.streamable import StateSpec, Streamable

SMALLEST = 1e-4
"""Of a variance beside the channel's own in training, by which a silence is not blown up."""


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
        memory: steps by whose mean and deviation samples are scaled once more, its own among them,
            so that a slow drift and another gain change nothing; 0 for no such scaling.
    """

    def __init__(
        self,
        hop: int,
        context: int,
        mean: Sequence[float],
        deviation: Sequence[float],
        memory: int = 0,
        **options,
    ):
        super().__init__(**options)
        self.hop = hop
        self.context = context
        self.mean = [float(value) for value in mean]
        self.deviation = [float(value) for value in deviation]
        self.memory = memory

    @property
    def states(self) -> dict[str, StateSpec]:
        channels = len(self.mean)
        states = {}
        if self.context:
            states["before"] = StateSpec((self.context, self.hop * channels))
        if self.memory > 1:  # mean, mean square and presence of the steps before
            states["moments"] = StateSpec((self.memory - 1, 2 * channels + 1))
        return states

    def call(self, x_BxNxC):
        batch = ops.shape(x_BxNxC)[0]
        zeros = {name: ops.zeros([batch, *spec.shape]) for name, spec in self.states.items()}
        return self.stream(x_BxNxC, zeros)[0]

    def stream(self, x, states):
        steps, new = self._scaled(self._steps(x), states)
        steps = ops.reshape(steps, (rows(steps), ops.shape(steps)[1], self.hop * len(self.mean)))
        if not self.context:
            return steps, new
        whole = ops.concatenate([states["before"], steps], axis=1)
        return self._joined(whole), {"before": whole[:, -self.context :], **new}

    def _steps(self, x_BxNxC):
        """Scaled samples `[batch, time, hop, channels]`."""
        scaled = (ops.cast(x_BxNxC, "float32") - ops.array(self.mean)) / ops.array(self.deviation)
        count = ops.shape(scaled)[1] // self.hop
        return ops.reshape(
            scaled[:, : count * self.hop], (rows(scaled), count, self.hop, len(self.mean))
        )

    def _scaled(self, steps_BxTxHxC, states):
        """The same beside mean and deviation of the last steps, and the new state."""
        if not self.memory:
            return steps_BxTxHxC, {}
        mean_BxTxC = ops.mean(steps_BxTxHxC, axis=2)
        square_BxTxC = ops.mean(ops.square(steps_BxTxHxC), axis=2)
        present_BxTx1 = ops.ones_like(mean_BxTxC[..., :1])
        moments = ops.concatenate([mean_BxTxC, square_BxTxC, present_BxTx1], axis=-1)
        new = {}
        if self.memory > 1:
            moments = ops.concatenate([states["moments"], moments], axis=1)
            new = {"moments": moments[:, 1 - self.memory :]}
        sums = ops.average_pool(moments, self.memory, 1, "valid")
        averages = sums[..., :-1] / sums[..., -1:]
        mean, square = ops.split(averages[:, :, None], 2, axis=-1)
        deviation = ops.sqrt(ops.maximum(square - ops.square(mean), 0.0) + SMALLEST)
        return (steps_BxTxHxC - mean) / deviation, new

    def _joined(self, x):
        count = ops.shape(x)[1] - self.context
        parts = [x[:, place : place + count] for place in range(self.context + 1)]
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, shape):
        steps = None if shape[1] is None else shape[1] // self.hop
        return (shape[0], steps, (self.context + 1) * self.hop * len(self.mean))

    def get_config(self):
        names = ("hop", "context", "mean", "deviation", "memory")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
