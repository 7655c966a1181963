"""LSTM and GRU with layer normalisation inside the recurrence."""

import keras
import tensorflow as tf

from rnnsuite.layers import scan
from rnnsuite.layers.recurrent import GRU, LSTM


class NormalisedCell:
    """A Keras cell with scales for the normalised sums; its step is the recurrence's."""

    def build(self, shape):
        super().build(shape)
        width = self.kernel.shape[-1]
        self.input_scale = self.add_weight(shape=(width,), name="input_scale", initializer="ones")
        self.recurrent_scale = self.add_weight(
            shape=(width,), name="recurrent_scale", initializer="ones"
        )

    def scan_weights(self) -> tuple:
        """As the recurrence takes them; without a bias, one of zeros."""
        bias = (
            tf.zeros(self.kernel.shape[-1:], self.compute_dtype) if self.bias is None else self.bias
        )
        return self.kernel, self.recurrent_kernel, bias, self.input_scale, self.recurrent_scale

    def call(self, inputs, states, training=False):
        weights = tuple(tf.convert_to_tensor(weight) for weight in self.scan_weights())
        a = self.recurrence.project(inputs[None], weights)[0]
        new, _ = self.recurrence.step(
            a, tuple(keras.tree.flatten(states)), self.recurrence.recurrent(weights)
        )
        return new[0], list(new)


@keras.saving.register_keras_serializable("rnnsuite")
class LayerNormLSTMCell(NormalisedCell, keras.layers.LSTMCell):
    """One step of `LayerNormLSTM`."""

    recurrence = scan.LayerNormLSTM()

    def build(self, shape):
        super().build(shape)
        self.state_scale = self.add_weight(
            shape=(self.units,), name="state_scale", initializer="ones"
        )
        self.state_bias = self.add_weight(
            shape=(self.units,), name="state_bias", initializer="zeros"
        )

    def scan_weights(self):
        return (*super().scan_weights(), self.state_scale, self.state_bias)


@keras.saving.register_keras_serializable("rnnsuite")
class LayerNormGRUCell(NormalisedCell, keras.layers.GRUCell):
    """One step of `LayerNormGRU`."""

    recurrence = scan.LayerNormGRU()

    def scan_weights(self):
        kernel, recurrent_kernel, bias, *scales = super().scan_weights()
        # Keras's GRU has two biases here; normalised, one is enough: their sum.
        return (
            kernel,
            recurrent_kernel,
            bias if len(bias.shape) == 1 else tf.reduce_sum(bias, axis=0),
            *scales,
        )


class Normalised:
    """A layer of ours around its normalising cell."""

    cell_type: type

    def __init__(self, units, *args, **options):
        super().__init__(units, *args, **options)
        config = {**self.cell.get_config(), "dtype": self.cell.dtype_policy}
        self.cell = self.cell_type.from_config(config)

    def recurrence(self):
        return self.cell_type.recurrence

    def cell_weights(self):
        return self.cell.scan_weights()

    def unsupported(self, training):
        reason = super().unsupported(training)
        if reason and not self.unroll:
            raise ValueError(f"{type(self).__name__} does not have {reason}")
        return reason

    def _fuses(self, sequences, states):
        return False

    def _on_gpu(self):
        return False


@keras.saving.register_keras_serializable("rnnsuite")
class LayerNormLSTM(Normalised, LSTM):
    """LSTM with layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450, eq. 20-22).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. The sums of inputs and of states are each normalised over all gates, the
    cell state before it is shown.

    Args:
        units: width of the state. Further arguments are `LSTM`'s, without other activations.

    Raises:
        ValueError: for other activations or recurrent dropout.
    """

    cell_type = LayerNormLSTMCell


@keras.saving.register_keras_serializable("rnnsuite")
class LayerNormGRU(Normalised, GRU):
    """GRU with layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450, eq. 26-28).

    `[batch, time, features]` to `[batch, units]`, or `[batch, time, units]` with
    `return_sequences`. The reset gate comes after the product.

    Args:
        units: width of the state. Further arguments are `GRU`'s, without other activations.

    Raises:
        ValueError: for other activations or recurrent dropout.
    """

    cell_type = LayerNormGRUCell

    def __init__(self, units, *args, **options):
        if options.get("reset_after") is False:
            raise ValueError(
                "LayerNormGRU has its reset gate after the product: reset_after must be true"
            )
        super().__init__(units, *args, **options)
