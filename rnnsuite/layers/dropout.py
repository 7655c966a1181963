"""Dropout for sequences: one mask for all steps, and whole tokens."""

import keras
from keras import ops

from rnnsuite.layers import replica


@keras.saving.register_keras_serializable("rnnsuite")
class Dropout(keras.layers.Dropout):
    """Keras's Dropout, which draws the same numbers however many replicas a batch is divided among."""

    def call(self, inputs, training=False):
        if replica.whole() or not training or not self.rate:
            return super().call(inputs, training=training)
        shape = [
            size if wanted is None else wanted
            for size, wanted in zip(ops.shape(inputs), self.noise_shape or (None,) * len(inputs.shape), strict=True)
        ]

        def draw(rows):
            return keras.random.dropout(ops.ones((rows, *shape[1:]), inputs.dtype), self.rate, seed=self.seed_generator)

        return inputs * replica.drawn(draw, shape[0])


@keras.saving.register_keras_serializable("rnnsuite")
class LockedDropout(Dropout):
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
        rows, steps = ops.shape(x_BxTxD)[:2]
        drawn = replica.drawn(lambda rows: keras.random.uniform((rows, steps, 1), seed=self.seed_generator), rows)
        kept = drawn >= self.rate
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
        length = ops.floor(self._drawn(x_BxTxF) * (most + 1))
        room = ops.maximum(ops.cast(size, "float32") - length, 0) + 1
        start = ops.floor(self._drawn(x_BxTxF) * room)
        place = ops.cast(ops.arange(size), "float32")[None]
        return ops.expand_dims(ops.logical_and(place >= start, place < start + length), 3 - axis)

    def _drawn(self, x_BxTxF):
        """A number `[batch, 1]` for each row."""
        return replica.drawn(
            lambda rows: keras.random.uniform((rows, 1), seed=self.seed_generator), ops.shape(x_BxTxF)[0]
        )

    def get_config(self):
        names = ("bands", "width", "spans", "steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
