"""A recurrent layer step by step, its states recorded."""

from typing import Any

import tensorflow as tf

from rnnsuite.core import context


def record_steps(
    layer: Any,
    sequences: tf.Tensor,
    states: tuple,
    mask: tf.Tensor | None,
    fresh: tf.Tensor | None = None,
):
    """Keras's `inner_loop` result, one step after another, each state recorded for gradients."""
    recorded = context.recorded_states()
    assert recorded is not None
    recorded[layer.path] = []
    order = range(sequences.shape[1])[:: -1 if layer.go_backwards else 1]
    output = tf.zeros_like(states[0])
    outputs = []
    for t in order:
        if fresh is not None:
            begins = fresh[:, t, None]
            states = tuple(tf.where(begins, tf.zeros_like(state), state) for state in states)
        new = layer.step(sequences[:, t], states)
        if mask is None:
            output = new[0]
        else:
            valid = tf.cast(mask[:, t, None], tf.bool)
            pairs = zip(new, states, strict=True)
            new = tuple(tf.where(valid, after, before) for after, before in pairs)
            padding = tf.zeros_like(output) if layer.zero_output_for_mask else output
            output = tf.where(valid, new[0], padding)
        states = new
        outputs.append(output)
        recorded[layer.path].append(new[0])
    shown = outputs if layer.return_sequences else outputs[-1:]
    return output, tf.stack(shown, axis=1), list(states)
