"""Which steps of a batch are a row's own."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnnsuite")
class WithinSteps(keras.layers.Layer):
    """Which steps of `[batch, time, ...]` are a row's own: booleans `[batch, time]`.

    A call takes the sequence and the number of steps of each row.
    """

    def call(self, x_BxTxD, steps_B):
        return ops.arange(ops.shape(x_BxTxD)[1])[None] < ops.cast(steps_B, "int32")[:, None]

    def compute_output_spec(self, x_BxTxD, steps_B):
        return keras.KerasTensor(x_BxTxD.shape[:2], "bool")
