"""Parts of a stream fed whole series, and pieces of them."""

import numpy as np
import tensorflow as tf

from rnnsuite.layers import Chain


def whole(part, x):
    """What a part makes of a whole series."""
    output, _ = tf.function(part.stream)(tf.constant(x, tf.float32), part.zeros(len(x)))
    return output.numpy()


def in_pieces(part, x, cuts):
    """The same, of pieces that end at these steps."""
    chain = Chain(part=part)
    single = tf.function(chain.chunk)
    spec = tf.TensorSpec([len(x), None, x.shape[2]])
    states_of = {name: tf.TensorSpec(value.shape) for name, value in chain.zeros(len(x)).items()}
    several = tf.function(chain.chunk).get_concrete_function(spec, **states_of)
    states = chain.zeros(len(x))
    outputs = []
    for piece in np.split(x, sorted(cuts), axis=1):
        if not piece.shape[1]:
            continue
        chunk = single if piece.shape[1] == 1 else several
        states = dict(chunk(tf.constant(piece, tf.float32), **states))
        outputs.append(states.pop("output"))
    return np.concatenate(outputs, axis=1)
