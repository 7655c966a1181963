"""From a sequence so far to one vector, at every step."""

import keras
from keras import ops

from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.streamable import StateSpec, Streamable

LARGEST = 10.0
"""Energies are between its negative and it, so that sums of their exponentials stay exact."""


@keras.saving.register_keras_serializable("rnnsuite")
class CumulativePooling(keras.layers.Layer, Streamable):
    """The attentive mean of all steps up to each one: `[batch, time, features]` to the same.

    Weights are exp(v . tanh(x W + b)), as of `Pooling("attentive")` (additive attention, arXiv
    1409.0473), with sums that run along time: what is said of a step never depends on later ones.
    """

    def build(self, shape):
        self.width = shape[-1]
        self.projection = self.add_weight(name="projection", shape=(shape[-1], shape[-1]))
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
        self.query = self.add_weight(name="query", shape=(shape[-1], 1))

    @property
    def states(self) -> dict[str, StateSpec]:
        """Sums of weighted steps, and of the weights."""
        return {"sum": StateSpec((self.width,)), "weight": StateSpec((1,))}

    def call(self, x_BxTxD):
        batch = ops.shape(x_BxTxD)[0]
        zeros = {name: ops.zeros([batch, *spec.shape]) for name, spec in self.states.items()}
        return self.stream(x_BxTxD, zeros)[0]

    def stream(self, x, states):
        x_BxTxD = as_floats(x, self.compute_dtype)
        hidden = ops.tanh(ops.matmul(x_BxTxD, self.projection) + self.bias)
        energy_BxTx1 = ops.clip(ops.matmul(hidden, self.query), -LARGEST, LARGEST)
        weight_BxTx1 = ops.exp(ops.cast(energy_BxTx1, "float32"))
        weighted = ops.cast(x_BxTxD, "float32") * weight_BxTx1
        sums = self._running(weighted, states["sum"])
        weights = self._running(weight_BxTx1, states["weight"])
        pooled = ops.cast(sums / weights, self.compute_dtype)
        return pooled, {"sum": sums[:, -1], "weight": weights[:, -1]}

    @staticmethod
    def _running(x_BxTxD, before_BxD):
        if x_BxTxD.shape[1] == 1:
            return x_BxTxD + before_BxD[:, None]
        return ops.cumsum(x_BxTxD, axis=1) + before_BxD[:, None]

    def compute_output_shape(self, shape):
        return shape
