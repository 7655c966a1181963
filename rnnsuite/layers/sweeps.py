"""Recurrent layers that sweep over a picture."""

import keras
from keras import ops

from rnnsuite.core.names import Cell
from rnnsuite.layers.casting import as_floats, rows
from rnnsuite.layers.stack import Stack


@keras.saving.register_keras_serializable("rnnsuite")
class Sweeps(keras.layers.Layer):
    """Four sweeps over a grid: down and up every column, then right and left along every row
    (ReNet: Visin et al., arXiv 1505.00393, section 2).

    `[batch, height, width, features]` to `[batch, height, width, 2 units]`: each place has seen all
    of the picture.

    Args:
        cell: the recurrent layer, by its name in `rnnsuite.layers.CELLS`.
        units: of each sweep.

    Raises:
        ValueError: on an unknown cell.
    """

    def __init__(self, cell: Cell, units: int, **options):
        super().__init__(**options)
        self.cell = cell
        self.units = units
        self.columns, self.rows = (
            Stack(cell, units, bidirectional=True, dtype=self.dtype_policy) for _ in range(2)
        )

    def build(self, shape):
        _, height, width, features = shape
        self.columns.build((None, height, features))
        self.rows.build((None, width, 2 * self.units))

    def call(self, x_BxHxWxF, training=False):
        x_BxHxWxF = as_floats(x_BxHxWxF, self.compute_dtype)
        x_BxWxHxF = ops.transpose(x_BxHxWxF, (0, 2, 1, 3))
        x_BxWxHxU = self._along(self.columns, x_BxWxHxF, training)
        return self._along(self.rows, ops.transpose(x_BxWxHxU, (0, 2, 1, 3)), training)

    @staticmethod
    def _along(stack, x_BxMxTxF, training):
        """Every line `[time, features]` by itself."""
        batch = rows(x_BxMxTxF)
        _, lines, time, features = x_BxMxTxF.shape
        count = batch if batch < 0 else batch * lines
        y = stack(ops.reshape(x_BxMxTxF, (count, time, features)), training=training)
        return ops.reshape(y, (batch, lines, time, y.shape[-1]))

    def compute_output_shape(self, shape):
        return (*shape[:3], 2 * self.units)

    def get_config(self):
        return {**super().get_config(), "cell": self.cell, "units": self.units}
