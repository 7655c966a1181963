"""Both directions of a recurrent layer side by side."""

import keras
import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.layers import fused


@keras.saving.register_keras_serializable("rnnsuite")
class Bidirectional(keras.layers.Bidirectional):
    """`keras.layers.Bidirectional`, which also keeps its numbers when it becomes int8.

    Args:
        layer: recurrent, read forward.
        merge_mode: how both outputs become one: concat, sum, mul or ave; None for two.
        backward_layer: read backward; None for one like the first.
        weights: initial ones, as Keras takes them.
    """

    def call(self, sequences, initial_state=None, mask=None, training=None):
        plain = self.merge_mode == "concat" and self.return_sequences and not self.return_state
        if context.current_target() != "lite" or not plain or initial_state is not None:
            with context.in_parallel(2):
                return super().call(
                    sequences, initial_state=initial_state, mask=mask, training=training
                )
        forward, backward = (
            layer(sequences, mask=mask) for layer in (self.forward_layer, self.backward_layer)
        )
        return tf.concat([_own_scale(forward), _own_scale(fused.flipped(backward))], axis=-1)


def _own_scale(x):
    """x, by an operation that int8 gives a scale of its own.

    A concatenation imposes one scale on all its inputs, also on an LSTM's output, which is
    read again as its state with another one. Adding next to nothing keeps them apart.
    """
    return x + tf.constant(1e-30, x.dtype)
