"""Which steps of a batch are a row's own."""

from typing import cast

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnsuite")
class WithinSteps(keras.layers.Layer):
    """Which steps of `[batch, time, ...]` are a row's own: booleans `[batch, time]`.

    A call takes the sequence and the number of steps of each row.
    """

    def call(self, x_BxTxD, steps_B):
        shape = cast(tuple, ops.shape(x_BxTxD))
        steps_1xT = ops.expand_dims(ops.arange(shape[1]), 0)
        own_Bx1 = ops.expand_dims(ops.cast(steps_B, "int32"), 1)
        return ops.less(steps_1xT, own_Bx1)

    def compute_output_spec(self, x_BxTxD, steps_B):
        return keras.KerasTensor((*x_BxTxD.shape,)[:2], "bool")
