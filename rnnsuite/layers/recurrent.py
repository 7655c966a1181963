"""SimpleRNN, GRU and LSTM: Keras's layers, with the kernel chosen by where the graph will run."""

import keras

from rnnsuite.layers import form, fused


@keras.saving.register_keras_serializable("rnnsuite")
class SimpleRNN(keras.layers.SimpleRNN):
    """Elman network, h_t = tanh(x_t W + h_{t-1} U + b) (Elman 1990).

    Arguments, weights and results are `keras.layers.SimpleRNN`'s: `[batch, time, features]`
    to `[batch, units]`, or `[batch, time, units]` with `return_sequences`.
    """


@keras.saving.register_keras_serializable("rnnsuite")
class GRU(keras.layers.GRU):
    """Gated recurrent unit (Cho et al., arXiv 1406.1078; `reset_after` as in cuDNN).

    Arguments, weights and results are `keras.layers.GRU`'s: `[batch, time, features]` to
    `[batch, units]`, or `[batch, time, units]` with `return_sequences`. Exported, it holds
    no cuDNN operation.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if form.current() == "training":
            return super().inner_loop(sequences, initial_state, mask, training)
        return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training)


@keras.saving.register_keras_serializable("rnnsuite")
class LSTM(keras.layers.LSTM):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    Arguments, weights and results are `keras.layers.LSTM`'s: `[batch, time, features]` to
    `[batch, units]`, or `[batch, time, units]` with `return_sequences`. Exported, it holds
    no cuDNN operation; exported for LiteRT it becomes one UNIDIRECTIONAL_SEQUENCE_LSTM
    where its activations are the usual ones.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if form.current() == "training":
            return super().inner_loop(sequences, initial_state, mask, training)
        if form.current() == "lite" and fused.fits(self, sequences):
            return fused.lstm(self, sequences, initial_state)
        return keras.layers.RNN.inner_loop(self, sequences, initial_state, mask, training)
