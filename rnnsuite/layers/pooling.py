"""From a masked sequence to one vector."""

from typing import Literal

import keras
from keras import ops

from rnnsuite.layers.casting import as_floats

KINDS = ("last", "mean", "max", "attentive")


@keras.saving.register_keras_serializable("rnnsuite")
class Pooling(keras.layers.Layer):
    """Pools `[batch, time, features]` over the unmasked steps to `[batch, features]`.

    A row without any unmasked step gives zeros.

    Args:
        kind: "last" (the last unmasked step), "mean", "max", or "attentive", a sum weighted by
            softmax(v . tanh(x W + b)) (Yang et al. 2016, NAACL, eq. 5-7; additive attention, arXiv
            1409.0473).
        return_weights: whether the step weights `[batch, time]` come too; of "max" they are the
            share of features that each step wins.

    Raises:
        ValueError: on an unknown kind.
    """

    def __init__(
        self,
        kind: Literal["last", "mean", "max", "attentive"],
        return_weights: bool = False,
        **options,
    ):
        super().__init__(**options)
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        self.kind = kind
        self.return_weights = return_weights
        self.supports_masking = True

    def build(self, shape):
        if self.kind == "attentive":
            self.projection = self.add_weight(name="projection", shape=(shape[-1], shape[-1]))
            self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")
            self.query = self.add_weight(name="query", shape=(shape[-1], 1))

    def call(self, x_BxTxD, mask=None):
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(x_BxTxD)[:2], "bool")
        mask_BxTx1 = ops.expand_dims(mask, -1)
        # A padded step may hold anything, NaN included: only where() keeps it out.
        x_BxTxD = ops.where(mask_BxTx1, x_BxTxD, ops.zeros_like(x_BxTxD))
        pooled, weights = getattr(self, f"_{self.kind}")(x_BxTxD, mask_BxTx1)
        return (pooled, weights) if self.return_weights else pooled

    def compute_mask(self, inputs, mask=None):
        return (None, None) if self.return_weights else None

    def _weighted(self, x_BxTxD, w_BxTx1):
        return ops.sum(x_BxTxD * w_BxTx1, axis=1), ops.squeeze(w_BxTx1, -1)

    def _mean(self, x_BxTxD, mask_BxTx1):
        weights = ops.cast(mask_BxTx1, x_BxTxD.dtype)
        return self._weighted(
            x_BxTxD, weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1)
        )

    def _last(self, x_BxTxD, mask_BxTx1):
        counts = ops.cast(mask_BxTx1, "int32")
        is_last = ops.logical_and(
            mask_BxTx1,
            ops.equal(ops.cumsum(counts, axis=1), ops.sum(counts, axis=1, keepdims=True)),
        )
        return self._weighted(x_BxTxD, ops.cast(is_last, x_BxTxD.dtype))

    def _max(self, x_BxTxD, mask_BxTx1):
        low = ops.where(mask_BxTx1, x_BxTxD, _least(x_BxTxD))
        top_Bx1xD = ops.max(low, axis=1, keepdims=True)
        wins_BxTx1 = ops.mean(
            ops.cast(ops.equal(low, top_Bx1xD), x_BxTxD.dtype), axis=-1, keepdims=True
        )
        wins_BxTx1 = wins_BxTx1 * ops.cast(mask_BxTx1, x_BxTxD.dtype)
        any_Bx1x1 = ops.any(mask_BxTx1, axis=1, keepdims=True)
        return ops.squeeze(ops.where(any_Bx1x1, top_Bx1xD, 0.0), 1), ops.squeeze(wins_BxTx1, -1)

    def _attentive(self, x_BxTxD, mask_BxTx1):
        energy_BxTx1 = ops.matmul(
            ops.tanh(ops.matmul(x_BxTxD, self.projection) + self.bias), self.query
        )
        energy_BxTx1 = ops.where(mask_BxTx1, energy_BxTx1, _least(energy_BxTx1))
        weights_BxTx1 = ops.softmax(energy_BxTx1, axis=1) * ops.cast(mask_BxTx1, x_BxTxD.dtype)
        some_Bx1x1 = ops.maximum(ops.sum(weights_BxTx1, axis=1, keepdims=True), 1e-6)
        return self._weighted(x_BxTxD, weights_BxTx1 / some_Bx1x1)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "return_weights": self.return_weights}


def _least(x_BxTxD):
    """What padding is filled with: the least of all steps. One far below would take an int8
    tensor's whole range.
    """
    return ops.stop_gradient(ops.min(x_BxTxD, axis=1, keepdims=True))
