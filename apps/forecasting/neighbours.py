"""Which one each of several series is, and which others it listens to (Graph WaveNet, arXiv
1906.00121), both learned.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnsuite.forecasting")
class Identities(keras.layers.Layer):
    """A vector of its own for each of several series `[batch, time, series]`: `[batch, width,
    series]`.

    Args:
        width: of the vectors.
    """

    def __init__(self, width: int, **options):
        super().__init__(**options)
        self.width = width

    def build(self, shape):
        size = [self.width, shape[-1]]
        self.vectors = self.add_weight(shape=size, initializer="random_normal", name="vectors")

    def call(self, x_BxTxS):
        return ops.zeros_like(x_BxTxS[:, :1]) + ops.cast(self.vectors, x_BxTxS.dtype)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("rnnsuite.forecasting")
class Neighbours(Identities):
    """Of several series `[batch, time, series]`, what each hears of all, of the same shape, and the
    vector by which it listens `[batch, width, series]`, which tells it from the others.

    What is heard is a mean of all series, with weights softmax(relu(listener . speaker)) of two
    vectors that each series has (equation 5 of the paper).

    Args:
        width: of the vectors.
    """

    def build(self, shape):
        size = [shape[-1], self.width]
        self.listener = self.add_weight(shape=size, initializer="glorot_normal", name="listener")
        self.speaker = self.add_weight(shape=size, initializer="glorot_normal", name="speaker")

    def adjacency(self):
        """Of every listener, a row that sums to 1: `[series, series]`."""
        energies = ops.matmul(self.listener, ops.transpose(self.speaker))
        return ops.softmax(ops.relu(energies), axis=-1)

    def call(self, x_BxTxS):
        weights = ops.cast(self.adjacency(), x_BxTxS.dtype)
        vectors = ops.transpose(ops.cast(self.listener, x_BxTxS.dtype))
        heard = ops.matmul(x_BxTxS, ops.transpose(weights))
        return heard, ops.zeros_like(x_BxTxS[:, :1]) + vectors


def apart(x, axis: int = 2):
    """Several series as rows of their own.

    Args:
        x: `[batch, time, series, ...]`.
        axis: that of the series.

    Returns:
        `[batch x series, time, ...]`.
    """
    x = ops.moveaxis(x, axis, 1)
    return ops.reshape(x, [-1, *x.shape[2:]])


def side_by_side(x, count: int):
    """The reverse of `apart`."""
    return ops.moveaxis(ops.reshape(x, [-1, count, *x.shape[1:]]), 1, 2)
