"""Long recordings in pieces."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.tasks.transcription import pieces

HOP = 4


def loud(steps, quiet=()):
    samples = np.ones(steps * HOP, "f")
    for step in quiet:
        samples[step * HOP : (step + 5) * HOP] = 0
    return samples


@given(st.integers(1, 200), st.integers(6, 40))
@settings(max_examples=20, deadline=None)
def test_pieces_are_all_of_a_recording_and_none_is_too_long(steps, most):
    sizes = pieces.cuts(tf.constant(loud(steps)), HOP, most).numpy()
    assert sizes.sum() == steps
    assert sizes.max() <= most
    assert sizes.min() >= 1
    if steps <= most:
        assert sizes.tolist() == [steps]


def test_a_cut_is_where_it_is_quiet():
    sizes = pieces.cuts(tf.constant(loud(100, quiet=[32])), HOP, 45).numpy()
    assert 32 <= sizes[0] <= 37


def test_pieces_are_answered_some_at_a_time_and_belong_to_their_recording():
    sounds = tf.ragged.constant([loud(130), loud(3), loud(20)], tf.float32)
    asked = []

    def answer(samples, steps):
        asked.append(samples)
        words = tf.RaggedTensor.from_row_lengths(
            tf.range(tf.reduce_sum(steps)), tf.cast(steps, tf.int64)
        )
        return {"size": tf.reduce_sum(samples, axis=1), "words": words}

    specs = {
        "size": tf.RaggedTensorSpec([None], tf.float32, 0),
        "words": tf.RaggedTensorSpec([None, None], tf.int32, 1),
    }

    @tf.function(autograph=False)
    def run():
        results, steps = pieces.in_pieces(answer, sounds, HOP, 12, specs)
        counts = steps.row_lengths()
        return results["size"], steps, pieces.joined(results["words"], counts).row_lengths()

    sizes, steps, words = run()
    assert len(sizes) > pieces.TOGETHER
    np.testing.assert_array_equal(sizes, steps.flat_values * HOP)
    assert tf.reduce_sum(steps, axis=1).numpy().tolist() == [130, 3, 20]
    assert words.numpy().tolist() == [130, 3, 20]
