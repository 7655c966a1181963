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


@keras.saving.register_keras_serializable("rnnsuite")
class SpecAugment(keras.layers.Layer):
    """Hides bands of a spectrogram in training (Park et al., arXiv 1904.08779, without time warping).

    `[batch, time, frequencies]` to the same. `bands` bands of up to `width` frequencies and
    `spans` spans of up to `steps` steps, drawn for each row, become zero, which is the mean
    of normalised features. Raises ValueError on a negative number.
    """

    def __init__(self, bands: int = 2, width: int = 8, spans: int = 2, steps: int = 15, **options):
        super().__init__(**options)
        if min(bands, width, spans, steps) < 0:
            raise ValueError("bands, width, spans and steps must not be negative")
        self.bands, self.width, self.spans, self.steps = bands, width, spans, steps
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x_BxTxF, training=False):
        if not training:
            return x_BxTxF
        kept = ops.ones_like(x_BxTxF[:, :1, :1], dtype="bool")
        for axis, count, most in ((1, self.spans, self.steps), (2, self.bands, self.width)):
            for _ in range(count if most else 0):
                kept = ops.logical_and(kept, ops.logical_not(self._hidden(x_BxTxF, axis, most)))
        return ops.where(kept, x_BxTxF, ops.zeros_like(x_BxTxF))

    def _hidden(self, x_BxTxF, axis, most):
        """Booleans `[batch, time, 1]` or `[batch, 1, frequencies]`: a stretch of up to `most` places."""
        size = ops.shape(x_BxTxF)[axis]
        row = (ops.shape(x_BxTxF)[0], 1)
        length = ops.floor(keras.random.uniform(row, seed=self.seed_generator) * (most + 1))
        room = ops.maximum(ops.cast(size, "float32") - length, 0) + 1
        start = ops.floor(keras.random.uniform(row, seed=self.seed_generator) * room)
        place = ops.cast(ops.arange(size), "float32")[None]
        return ops.expand_dims(ops.logical_and(place >= start, place < start + length), 3 - axis)

    def get_config(self):
        names = ("bands", "width", "spans", "steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
