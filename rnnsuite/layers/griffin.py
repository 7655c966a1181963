"""Griffin's recurrent block: a gated linear recurrence behind a short convolution."""

from collections.abc import Mapping

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.elementwise import RGLRU
from rnnsuite.layers.streamable import StateSpec, Streamable
from rnnsuite.layers.streaming import Streaming


@keras.saving.register_keras_serializable("rnnsuite")
class RGLRUBlock(Streamable, keras.layers.Layer):
    """The recurrent block of Griffin (De et al., arXiv 2402.19427, section 2.3 and figure 2).

        y = W_y (gelu(W_g x + b_g) * RG-LRU(convolution(W_x x + b_x))) + b_y

    `[batch, time, features]` to the same. The convolution sees each channel by itself and the last
    `width` steps. A residual and a normalisation stand around it in the paper, and here outside.

    Args:
        units: channels between, also of the recurrence.
        width: steps that the convolution sees, the present one included.

    Raises:
        ValueError: for a width under 1.
    """

    def __init__(self, units: int, width: int = 4, **options):
        super().__init__(**options)
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        self.units = units
        self.width = width
        self.supports_masking = True
        policy = {"dtype": self.dtype_policy}
        self.gate = keras.layers.Dense(units, activation="gelu", **policy)
        self.inner = keras.layers.Dense(units, **policy)
        self.recurrent = RGLRU(units, return_sequences=True, **policy)

    def build(self, shape):
        self.gate.build(shape)
        self.inner.build(shape)
        self.kernel = self.add_weight(
            name="kernel", shape=(self.width, self.units), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        between = (*shape[:-1], self.units)
        self.recurrent.build(between)
        self.outer = keras.layers.Dense(shape[-1], dtype=self.dtype_policy)
        self.outer.build(between)

    def call(self, x_BxTxD, mask=None, training=False):
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        inner = self.inner(x_BxTxD)
        if mask is not None:  # padding is seen as the steps before the first one are
            inner = ops.where(ops.expand_dims(mask, -1), inner, ops.zeros_like(inner))
        padded = ops.pad(inner, [[0, 0], [self.width - 1, 0], [0, 0]])
        recurrent = self.recurrent(self._convolved(padded), mask=mask, training=training)
        return self.outer(self.gate(x_BxTxD) * recurrent)

    def _convolved(self, padded):
        """Of each channel the weighted sum of the last steps; the first width - 1 have none."""
        count = padded.shape[1] and padded.shape[1] - self.width + 1
        count = count or ops.shape(padded)[1] - self.width + 1
        kernel = ops.cast(self.kernel, padded.dtype)
        shares = (padded[:, place : place + count] * kernel[place] for place in range(self.width))
        return sum(shares, ops.cast(self.bias, padded.dtype))

    @property
    def states(self):
        past = {"past": StateSpec((self.width - 1, self.units), self.compute_dtype)}
        return {**(past if self.width > 1 else {}), **Streaming(self.recurrent).states}

    def stream(self, x: tf.Tensor, states: Mapping[str, tf.Tensor]):
        x = as_floats(x, self.compute_dtype)
        own = dict(states)
        inner = self.inner(x)
        if self.width > 1:
            inner = tf.concat([own.pop("past"), inner], axis=1)
        recurrent, after = Streaming(self.recurrent).stream(self._convolved(inner), own)
        if self.width > 1:
            after = {**after, "past": inner[:, 1 - self.width :]}
        return self.outer(self.gate(x) * recurrent), after

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "units": self.units, "width": self.width}
