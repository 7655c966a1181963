"""Dropout for sequences: one mask for all steps, and whole tokens."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnsuite")
class LockedDropout(keras.layers.Dropout):
    """Dropout with one mask for every time step of a sequence (Gal & Ghahramani, arXiv 1512.05287).

    `[batch, time, features]` to the same; a feature is dropped for the whole sequence or not at all.
    """

    def __init__(self, rate: float, **options):
        options.pop("noise_shape", None)
        super().__init__(rate, noise_shape=(None, 1, None), **options)


@keras.saving.register_keras_serializable("rnnsuite")
class TokenDropout(keras.layers.Layer):
    """Sets whole time steps to zero in training, each with probability `rate` (word dropout, arXiv 1512.05287).

    `[batch, time, features]` to the same. Steps that stay are not scaled up.
    """

    def __init__(self, rate: float, **options):
        super().__init__(**options)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True

    def call(self, x_BxTxD, training=False):
        if not training or not self.rate:
            return x_BxTxD
        shape = (ops.shape(x_BxTxD)[0], ops.shape(x_BxTxD)[1], 1)
        kept = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        return ops.where(kept, x_BxTxD, ops.zeros_like(x_BxTxD))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
