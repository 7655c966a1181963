"""An LSTM in the shape that the LiteRT converter recognises and fuses into one operation.

The converter replaces a function marked `api_implements: lstm_...` by
UNIDIRECTIONAL_SEQUENCE_LSTM if its signature is the one below and its initial states are
zeros of a known batch size. The body serves wherever the function is not replaced.
"""

import uuid

import keras
import tensorflow as tf


def fits(layer: keras.layers.LSTM, sequences: tf.Tensor, initial_state: tuple) -> bool:
    """Whether the fused operation computes this LSTM, from zero states in a static batch."""
    return (
        layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and sequences.shape[0] is not None
        and all(_is_zero(state) for state in initial_state)
    )


def _is_zero(state: tf.Tensor) -> bool:
    value = tf.get_static_value(state)
    return value is not None and not value.any()


def lstm(layer: keras.layers.LSTM, sequences: tf.Tensor) -> tuple:
    """Keras's `inner_loop` result by the fused form.

    The fused operation keeps its states between invocations, so a runner must reset it.

    Args:
        layer: the LSTM.
        sequences: `[batch, time, features]` without padding.

    Returns:
        The last output, the outputs and the states.
    """
    if layer.go_backwards:
        sequences = flipped(sequences)
    zeros = tf.zeros([sequences.shape[0], layer.units], sequences.dtype)
    cell = layer.cell
    # Tensors, not variables: the converter folds them into the operation.
    weights = [
        tf.convert_to_tensor(weight) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
    ]
    _, outputs, state_h, state_c, _ = _marked()(sequences, zeros, zeros, *weights)
    # Only the sequence is an output of the fused operation; the last step is read from it.
    return (
        outputs[:, -1],
        outputs if layer.return_sequences else outputs[:, -1:],
        [state_h, state_c],
    )


def flipped(x_BxTxD: tf.Tensor) -> tf.Tensor:
    """Reversed in time by GATHER: int8 reads the result of REVERSE with another scale."""
    return tf.gather(x_BxTxD, tf.range(tf.shape(x_BxTxD)[1] - 1, -1, -1), axis=1)


def _marked():
    attributes = {
        "api_implements": f"lstm_{uuid.uuid4()}",
        "api_preferred_device": "CPU",
        "go_backwards": False,
        "time_major": False,
    }
    return tf.function(_body, autograph=False, experimental_attributes=attributes)


def _body(sequences, state_h, state_c, kernel, recurrent_kernel, bias):
    """The plain recurrence; outputs (last, sequence, h, c, runtime) in the order the converter
    expects.
    """

    def step(states, x):
        h, c = states
        gates = tf.matmul(x, kernel) + tf.matmul(h, recurrent_kernel) + bias
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    h, c = tf.scan(step, tf.transpose(sequences, [1, 0, 2]), (state_h, state_c))
    return h[-1], tf.transpose(h, [1, 0, 2]), h[-1], c[-1], tf.constant(1.0)
