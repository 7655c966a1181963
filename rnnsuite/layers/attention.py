"""Attention of a sequence of queries over a masked memory."""

from typing import get_args

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.core.names import AttentionKind
from rnnsuite.layers.casting import as_floats


@keras.saving.register_keras_serializable("rnnsuite")
class Attention(keras.layers.Layer):
    """Queries `[batch, time, d]` over a memory `[batch, positions, e]`.

    Gives contexts `[batch, time, e]` and weights `[batch, time, positions]`, the softmax of an
    energy over the positions that `mask` `[batch, positions]` keeps; a row that keeps none has no
    weights and the context 0.

        additive     v . tanh(W q + U m + b)         Bahdanau et al., arXiv 1409.0473, eq. 6
        dot          q . m                           Luong et al., arXiv 1508.04025, eq. 8
        general      q . W m                         the same
        scaled_dot   (W q) . (U m) / sqrt(units)     Vaswani et al., arXiv 1706.03762, eq. 1
        uniform      0                               no attention: the context is the memory's mean

    `keys(memory)` is what depends on the memory alone; given to calls, it is computed once for all
    steps. `additive` needs memory for `[batch, time, positions, units]`.

    Args:
        kind: the energy.
        units: the width of additive and scaled_dot.

    Raises:
        ValueError: on an unknown kind, or where dot does not fit.
    """

    def __init__(self, kind: AttentionKind = "additive", units: int = 128, **options):
        super().__init__(**options)
        if kind not in get_args(AttentionKind):
            raise ValueError(
                f"kind must be one of {', '.join(get_args(AttentionKind))}, not {kind!r}"
            )
        self.kind = kind
        self.units = units
        self.supports_masking = True

    def build(self, query_shape, memory_shape):
        query = query_shape[-1]
        memory = memory_shape[-1]
        if self.kind == "dot" and query != memory:
            raise ValueError(
                f"dot needs queries as wide as the memory; they are {query} and {memory} wide. "
                f"Use general"
            )
        if self.kind == "general":
            self.key = self.add_weight(name="key", shape=(memory, query))
        if self.kind in ("additive", "scaled_dot"):
            self.query = self.add_weight(name="query", shape=(query, self.units))
            self.key = self.add_weight(name="key", shape=(memory, self.units))
        if self.kind == "additive":
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
            self.energy = self.add_weight(
                name="energy", shape=(self.units,), initializer="glorot_uniform"
            )

    def keys(self, memory_BxMxE):
        """What depends on the memory alone, `[batch, positions, width]`."""
        if self.kind in ("dot", "uniform"):
            return memory_BxMxE
        keys = ops.matmul(memory_BxMxE, self.key)
        return keys + self.bias if self.kind == "additive" else keys

    def call(self, query, memory, keys=None, mask=None):
        query = as_floats(query, self.compute_dtype)
        memory = as_floats(memory, self.compute_dtype)
        keys_BxMxU = self.keys(memory) if keys is None else keys
        weights_BxTxM = _masked_softmax(self._energies(query, keys_BxMxU), mask)
        if mask is not None:  # whatever stands at padding, NaN included, is no part of a sum
            memory = ops.where(ops.expand_dims(mask, -1), memory, ops.zeros_like(memory))
        return ops.matmul(weights_BxTxM, memory), weights_BxTxM

    def compute_mask(self, query, mask=None):
        return None, None

    def _energies(self, query_BxTxD, keys_BxMxU):
        if self.kind == "uniform":
            shape = [*ops.shape(query_BxTxD)[:2], ops.shape(keys_BxMxU)[1]]
            return ops.zeros(shape, query_BxTxD.dtype)
        if self.kind in ("dot", "general"):
            return ops.matmul(query_BxTxD, ops.swapaxes(keys_BxMxU, 1, 2))
        query_BxTxU = ops.matmul(query_BxTxD, self.query)
        if self.kind == "scaled_dot":
            return ops.matmul(query_BxTxU, ops.swapaxes(keys_BxMxU, 1, 2)) / self.units**0.5
        return tf.tensordot(ops.tanh(query_BxTxU[:, :, None] + keys_BxMxU[:, None]), self.energy, 1)

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "units": self.units}


def _masked_softmax(energies_BxTxM, mask):
    """Softmax over the kept positions. Without a constant far below the others, which would take
    int8's whole range.
    """
    if mask is None:
        return ops.softmax(energies_BxTxM)
    kept_Bx1xM = ops.expand_dims(mask, 1)
    energies = ops.where(kept_Bx1xM, energies_BxTxM, ops.zeros_like(energies_BxTxM))
    least = ops.stop_gradient(ops.min(energies, axis=-1, keepdims=True))
    shares = ops.softmax(ops.where(kept_Bx1xM, energies, least)) * ops.cast(
        kept_Bx1xM, energies.dtype
    )
    return shares / ops.maximum(ops.sum(shares, axis=-1, keepdims=True), 1e-6)
