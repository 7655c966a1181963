"""Convolutions over a sequence: around each step, or over what came before it."""

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.streamable import StateSpec, Streamable


@keras.saving.register_keras_serializable("rnnsuite")
class RegionEmbedding(keras.layers.Layer):
    """Adds a feature of the steps around it to every step: x_t + relu(W [x_{t-k} .. x_{t+k}] + b).

    `[batch, time, features]` to the same. Masked steps count as zeros, like those before the
    beginning, so that padding changes nothing. After the region embeddings of Johnson & Zhang
    (arXiv 1602.02373), here with a residual.

    Args:
        width: steps.
    """

    def __init__(self, width: int, **options):
        super().__init__(**options)
        self.width = width
        self.supports_masking = True

    def build(self, shape):
        self.convolution = keras.layers.Conv1D(
            shape[-1], self.width, padding="same", activation="relu", dtype=self.dtype_policy
        )
        self.convolution.build(shape)

    def call(self, x_BxTxD, mask=None):
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        if mask is not None:
            x_BxTxD = ops.where(ops.expand_dims(mask, -1), x_BxTxD, ops.zeros_like(x_BxTxD))
        return x_BxTxD + self.convolution(x_BxTxD)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("rnnsuite")
class CausalConvolution(Streamable, keras.layers.Layer):
    """Convolution over time and frequency that never looks ahead, batch normalisation, ReLU.

    `[batch, time, frequencies, channels]` to `[batch, time / s, frequencies / r, filters]`. Before
    the first step there are zeros; on the frequency axis there are zeros on both sides. `stream`
    takes the next steps, a multiple of s, and the last kernel - s steps before them.

    Args:
        filters: channels of the output.
        kernel: steps and frequencies.
        strides: (s, r).

    Raises:
        ValueError: where the kernel is shorter than the stride.
    """

    def __init__(
        self, filters: int, kernel: tuple[int, int], strides: tuple[int, int] = (1, 1), **options
    ):
        super().__init__(**options)
        if kernel[0] < strides[0]:
            raise ValueError(
                f"a kernel of {kernel[0]} steps skips steps with a stride of {strides[0]}"
            )
        self.filters = filters
        self.kernel = tuple(kernel)
        self.strides = tuple(strides)

    def build(self, shape):
        self.past = self.kernel[0] - self.strides[0]
        self.past_shape = (self.past, *shape[2:])
        self.convolution = keras.layers.Conv2D(
            self.filters, self.kernel, self.strides, use_bias=False, dtype=self.dtype_policy
        )
        self.convolution.build(shape)
        self.norm = keras.layers.BatchNormalization(momentum=0.98, dtype=self.dtype_policy)
        self.norm.build((*shape[:-1], self.filters))

    def call(self, x_BxTxFxC, training=False):
        x_BxTxFxC = as_floats(x_BxTxFxC, self.compute_dtype)
        return self._run(ops.pad(x_BxTxFxC, [[0, 0], [self.past, 0], [0, 0], [0, 0]]), training)

    @property
    def states(self):
        return {"past": StateSpec(self.past_shape, self.compute_dtype)} if self.past else {}

    def stream(self, x_BxTxFxC, states):
        x_BxTxFxC = as_floats(x_BxTxFxC, self.compute_dtype)
        if not self.past:
            return self._run(x_BxTxFxC, False), {}
        x = tf.concat([states["past"], x_BxTxFxC], axis=1)
        return self._run(x, False), {"past": x[:, -self.past :]}

    def _run(self, x, training):
        bins = x.shape[2]
        width = self.kernel[1]
        stride = self.strides[1]
        around = max((-(-bins // stride) - 1) * stride + width - bins, 0)
        x = ops.pad(x, [[0, 0], [0, 0], [around // 2, around - around // 2], [0, 0]])
        return ops.relu(self.norm(self.convolution(x), training=training))

    def compute_output_shape(self, shape):
        steps = shape[1] and shape[1] // self.strides[0]
        return (shape[0], steps, -(-shape[2] // self.strides[1]), self.filters)

    def get_config(self):
        names = ("filters", "kernel", "strides")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("rnnsuite")
class LookAhead(Streamable, keras.layers.Layer):
    """Row convolution: what a one-directional network may know of the next steps.

    y_t = relu(sum over i from 0 to `ahead` of w_i * x_{t+i}), one weight for each feature and step
    (Amodei et al., Deep Speech 2, arXiv 1512.02595, section 3.7).

    `[batch, time, features]` to `[batch, time - ahead, features]`: the last steps, whose future is
    not known, have no output. As a stream it gives as many steps as it takes, each `ahead` later;
    the first `ahead` of them are of no step.

    Args:
        ahead: steps.
    """

    def __init__(self, ahead: int, **options):
        super().__init__(**options)
        self.ahead = ahead
        self.look_ahead = ahead

    def build(self, shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.ahead + 1, shape[-1]),
            initializer=keras.initializers.RandomUniform(0.0, 2.0 / (self.ahead + 1)),
        )
        self.state_shape = (self.ahead, shape[-1])

    @property
    def states(self):
        return {"waiting": StateSpec(self.state_shape, self.compute_dtype)} if self.ahead else {}

    def call(self, x_BxTxD):
        x_BxTxD = as_floats(x_BxTxD, self.compute_dtype)
        count = ops.shape(x_BxTxD)[1] - self.ahead
        shifted = [x_BxTxD[:, place : place + count] for place in range(self.ahead + 1)]
        terms = [x * self.kernel[place] for place, x in enumerate(shifted)]
        return ops.relu(sum(terms[1:], terms[0]))

    def stream(self, x_BxTxD, states):
        if not self.ahead:
            return self(x_BxTxD), {}
        x = tf.concat([states["waiting"], as_floats(x_BxTxD, self.compute_dtype)], axis=1)
        return self(x), {"waiting": x[:, -self.ahead :]}

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] and shape[1] - self.ahead, shape[2])

    def get_config(self):
        return {**super().get_config(), "ahead": self.ahead}
