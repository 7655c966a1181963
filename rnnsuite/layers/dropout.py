"""Dropout for sequences: one mask for all steps, and whole tokens."""

import keras
from keras import ops

from rnnsuite.core import context


@keras.saving.register_keras_serializable("rnnsuite")
class Dropout(keras.layers.Dropout):
    """Keras's Dropout, which draws the same numbers however a batch is divided among replicas.

    Args:
        rate: share of the numbers that become 0; the others are divided by 1 - rate.
        noise_shape: see `keras.layers.Dropout`.
        seed: of what is drawn.
    """

    def call(self, inputs, training=False):
        if context.undivided() or not training or not self.rate:
            return super().call(inputs, training=training)
        shape = [
            size if wanted is None else wanted
            for size, wanted in zip(
                ops.shape(inputs), self.noise_shape or (None,) * len(inputs.shape), strict=True
            )
        ]

        def draw(rows):
            return keras.random.dropout(
                ops.ones((rows, *shape[1:]), inputs.dtype), self.rate, seed=self.seed_generator
            )

        return inputs * context.random_for_batch(draw, shape[0])


@keras.saving.register_keras_serializable("rnnsuite")
class LockedDropout(Dropout):
    """Dropout with one mask for every time step of a sequence (Gal & Ghahramani, arXiv 1512.05287).

    `[batch, time, features]` to the same; a feature is dropped for the whole sequence or not at
    all.

    Args:
        rate: share of the features.
    """

    def __init__(self, rate: float, **options):
        options.pop("noise_shape", None)
        super().__init__(rate, noise_shape=(None, 1, None), **options)


@keras.saving.register_keras_serializable("rnnsuite")
class TokenDropout(keras.layers.Layer):
    """Sets whole time steps to zero in training (word dropout, arXiv 1512.05287).

    `[batch, time, features]` to the same. Steps that stay are not scaled up.

    Args:
        rate: share of the steps.
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
        drawn = context.random_for_batch(
            lambda rows: keras.random.uniform((rows, steps, 1), seed=self.seed_generator), rows
        )
        keep = drawn >= self.rate
        return ops.where(keep, x_BxTxD, ops.zeros_like(x_BxTxD))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable("rnnsuite")
class SpecAugment(keras.layers.Layer):
    """Hides bands of a spectrogram in training (Park et al., arXiv 1904.08779, without time
    warping).

    `[batch, time, frequencies]` to the same. Masks are drawn for each row and filled with zeros,
    which are the mean of normalised features.

    Args:
        freq_masks: frequency masks.
        freq_width: frequencies of the widest.
        time_masks: time masks.
        time_width: steps of the longest.

    Raises:
        ValueError: on a negative number.
    """

    def __init__(
        self,
        freq_masks: int = 2,
        freq_width: int = 8,
        time_masks: int = 2,
        time_width: int = 15,
        **options,
    ):
        super().__init__(**options)
        if min(freq_masks, freq_width, time_masks, time_width) < 0:
            raise ValueError("the numbers and sizes of masks must not be negative")
        self.freq_masks = freq_masks
        self.freq_width = freq_width
        self.time_masks = time_masks
        self.time_width = time_width
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x_BxTxF, training=False):
        if not training:
            return x_BxTxF
        keep = ops.ones_like(x_BxTxF[:, :1, :1], dtype="bool")
        for axis, count, most in (
            (1, self.time_masks, self.time_width),
            (2, self.freq_masks, self.freq_width),
        ):
            for _ in range(count if most else 0):
                keep = ops.logical_and(keep, ops.logical_not(self._hidden(x_BxTxF, axis, most)))
        return ops.where(keep, x_BxTxF, ops.zeros_like(x_BxTxF))

    def _hidden(self, x_BxTxF, axis, most):
        """Booleans `[batch, time, 1]` or `[batch, 1, frequencies]`: a stretch of up to `most`
        places.
        """
        size = ops.shape(x_BxTxF)[axis]
        length = ops.floor(self._drawn(x_BxTxF) * (most + 1))
        room = ops.maximum(ops.cast(size, "float32") - length, 0) + 1
        start = ops.floor(self._drawn(x_BxTxF) * room)
        place = ops.cast(ops.arange(size), "float32")[None]
        return ops.expand_dims(ops.logical_and(place >= start, place < start + length), 3 - axis)

    def _drawn(self, x_BxTxF):
        """A number `[batch, 1]` for each row."""
        return context.random_for_batch(
            lambda rows: keras.random.uniform((rows, 1), seed=self.seed_generator),
            ops.shape(x_BxTxF)[0],
        )

    def get_config(self):
        names = ("freq_masks", "freq_width", "time_masks", "time_width")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
