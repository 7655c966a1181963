"""A compact residual network over pictures, small enough to be trained from scratch on a CPU."""

from collections.abc import Sequence

import keras
from keras import ops

from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.dropout import Dropout


@keras.saving.register_keras_serializable("rnnsuite")
class ResidualBlock(keras.layers.Layer):
    """relu(B(relu(B(x * W1))) * W2) + x), B batch normalisation (arXiv 1512.03385, figure 2).

    `[batch, height, width, channels]` to `[batch, height / stride, width / stride, filters]`; where
    the shape changes, x goes through a 1 x 1 convolution.

    Args:
        filters: channels of the output.
        stride: of the first convolution.
        drop: share of the rows of a batch in which the branch is left out in training (stochastic
            depth, arXiv 1603.09382).
    """

    def __init__(self, filters: int, stride: int = 1, drop: float = 0.0, **options):
        super().__init__(**options)
        self.filters = filters
        self.stride = stride
        self.drop = drop
        self.convolutions = [
            _convolution(filters, 3, stride, dtype=self.dtype_policy),
            _convolution(filters, 3, dtype=self.dtype_policy),
        ]
        self.norms = [_norm(dtype=self.dtype_policy) for _ in self.convolutions]
        self.dropout = Dropout(drop, noise_shape=(None, 1, 1, 1), dtype=self.dtype_policy)

    def build(self, shape):
        self.changes = self.stride > 1 or shape[-1] != self.filters
        if self.changes:
            self.shortcut = _convolution(self.filters, 1, self.stride, dtype=self.dtype_policy)
            self.shortcut_norm = _norm(dtype=self.dtype_policy)
            self.shortcut.build(shape)
            self.shortcut_norm.build((*shape[:-1], self.filters))
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build(shape)
            shape = (*shape[:-1], self.filters)
            norm.build(shape)

    def call(self, x_BxHxWxC, training=False):
        x_BxHxWxC = as_floats(x_BxHxWxC, self.compute_dtype)
        h = ops.relu(self.norms[0](self.convolutions[0](x_BxHxWxC), training=training))
        h = self.dropout(
            self.norms[1](self.convolutions[1](h), training=training), training=training
        )
        if self.changes:
            x_BxHxWxC = self.shortcut_norm(self.shortcut(x_BxHxWxC), training=training)
        return ops.relu(h + x_BxHxWxC)

    def compute_output_shape(self, shape):
        height, width = (-(-side // self.stride) for side in shape[1:3])
        return (shape[0], height, width, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in ("filters", "stride", "drop")},
        }


@keras.saving.register_keras_serializable("rnnsuite")
class Positions(keras.layers.Layer):
    """Adds a learned vector to each position (arXiv 1706.03762, section 3.5, the learned form).

    `[batch, positions, width]` to the same, with a fixed number of positions.

    Args:
        scale: standard deviation of the vectors at first.
    """

    def __init__(self, scale: float = 0.02, **options):
        super().__init__(**options)
        self.scale = scale

    def build(self, shape):
        self.vectors = self.add_weight(
            name="vectors",
            shape=shape[1:],
            initializer=keras.initializers.RandomNormal(stddev=self.scale),
        )

    def call(self, x_BxPxW):
        return as_floats(x_BxPxW, self.compute_dtype) + self.vectors

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def residual_network(
    size: int, filters: Sequence[int], blocks: int, drop: float = 0.0, name: str = "residual"
) -> keras.Model:
    """A compact residual network: a convolution with stride 2, then stages of residual blocks.

    Args:
        size: pixels of a side.
        filters: of each stage; every stage but the first halves the sides.
        blocks: of a stage.
        drop: of the last block, rising from 0.
        name: of the model.

    Returns:
        A model from pixels `[batch, size, size, 3]` of 0 to 255 to positions `[batch, size / s,
        size / s, filters[-1]]`.
    """
    pixels = keras.Input([size, size, 3], name="image")
    x = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    x = ops.relu(_norm()(_convolution(filters[0], 3, 2)(x)))
    last = max(len(filters) * blocks - 1, 1)
    for number in range(len(filters) * blocks):
        stage, place = divmod(number, blocks)
        stride = 2 if stage and not place else 1
        x = ResidualBlock(
            filters[stage], stride, drop * number / last, name=f"block_{stage + 1}_{place + 1}"
        )(x)
    return keras.Model(pixels, x, name=name)


def _convolution(filters, width, stride=1, dtype=None):
    return keras.layers.Conv2D(
        filters,
        width,
        stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        dtype=dtype,
    )


def _norm(dtype=None):
    return keras.layers.BatchNormalization(momentum=0.9, dtype=dtype)
