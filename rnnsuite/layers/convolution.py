"""Convolution over a masked sequence."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnsuite")
class RegionEmbedding(keras.layers.Layer):
    """Adds to every step a feature of the `width` steps around it: x_t + relu(W [x_{t-k} .. x_{t+k}] + b).

    `[batch, time, features]` to the same. Masked steps count as zeros, like those before
    the beginning, so that padding changes nothing. After the region embeddings of Johnson &
    Zhang (arXiv 1602.02373), here with a residual.
    """

    def __init__(self, width: int, **options):
        super().__init__(**options)
        self.width = width
        self.supports_masking = True

    def build(self, shape):
        self.convolution = keras.layers.Conv1D(shape[-1], self.width, padding="same", activation="relu")
        self.convolution.build(shape)

    def call(self, x_BxTxD, mask=None):
        if mask is not None:
            x_BxTxD = ops.where(ops.expand_dims(mask, -1), x_BxTxD, ops.zeros_like(x_BxTxD))
        return x_BxTxD + self.convolution(x_BxTxD)

    def get_config(self):
        return {**super().get_config(), "width": self.width}
