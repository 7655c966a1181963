"""Long recordings in pieces, cut where it is quiet, so that an hour needs no more memory at once
than some pieces.
"""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

TOGETHER = 8
"""Pieces that the network hears at once."""
SMOOTH = 5
"""Steps over which loudness is averaged before a cut is chosen."""


def cuts(samples: tf.Tensor, hop: int, most: int) -> tf.Tensor:
    """Steps of every piece of a recording, at most `most` each.

    A piece ends at the quietest place in the last third of what it may hold.

    Args:
        samples: `[steps * hop]`.
        hop: samples of a step.
        most: steps of a piece at most, 3 or more.

    Returns:
        int32 `[pieces]`, whose sum is `steps`.
    """
    energy = tf.reduce_mean(tf.square(tf.reshape(samples, [-1, hop])), axis=1)
    smooth = tf.nn.avg_pool1d(energy[None, :, None], SMOOTH, 1, "SAME")[0, :, 0]
    total = tf.size(energy)
    least = most - most // 3

    def cut(start, sizes):
        quietest = tf.argmin(smooth[start + least : start + most], output_type=tf.int32)
        size = least + quietest
        return start + size, tf.concat([sizes, size[None]], axis=0)

    start, sizes = tf.while_loop(
        lambda start, _: total - start > most,
        cut,
        (tf.constant(0), tf.zeros([0], tf.int32)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
    )
    return tf.concat([sizes, (total - start)[None]], axis=0)


def in_pieces(
    function: Callable[[tf.Tensor, tf.Tensor], Mapping[str, Any]],
    sounds: tf.RaggedTensor,
    hop: int,
    most: int,
    signature: Mapping[str, Any],
) -> tuple[dict[str, Any], tf.RaggedTensor]:
    """What a function says of every piece of several recordings, some pieces at a time.

    Args:
        function: of samples `[pieces, n]` and steps `[pieces]`: tensors with pieces first.
        sounds: `[batch, (samples)]`, whole steps each.
        hop: samples of a step.
        most: steps of a piece at most.
        signature: a `tf.TensorSpec` or `tf.RaggedTensorSpec` of each result, for some pieces.

    Returns:
        Results `[all pieces, ...]`, and the steps of every piece `[batch, (pieces)]`.
    """
    sizes = tf.map_fn(
        lambda samples: cuts(samples, hop, most),
        sounds,
        fn_output_signature=tf.RaggedTensorSpec([None], tf.int32, 0),
    )
    steps = sizes.flat_values
    pieces = grouped(sounds.flat_values, steps * hop)
    count = tf.size(steps)
    together = tf.clip_by_value(count, 1, TOGETHER)
    groups = -(-count // together)

    def group(number):
        part = slice(number * together, (number + 1) * together)
        return dict(function(pieces[part].to_tensor(), steps[part]))

    results = tf.map_fn(
        group, tf.range(groups), fn_output_signature=dict(signature), parallel_iterations=1
    )
    merged = {name: _merged(value) for name, value in results.items()}
    return merged, tf.cast(sizes, tf.int32)


def _merged(value: Any) -> Any:
    """`[groups, pieces, ...]` as `[all pieces, ...]`."""
    return value.merge_dims(0, 1)


def grouped(values: Any, counts: tf.Tensor) -> Any:
    """Rows of values, so many in each group, as a ragged tensor `[groups, (rows), ...]`."""
    ragged: Any = tf.RaggedTensor
    return ragged.from_row_lengths(values, counts)


def joined(values: tf.RaggedTensor, counts: tf.Tensor) -> tf.RaggedTensor:
    """`[all pieces, (items)]` as `[batch, (items)]`, by the pieces of every recording."""
    return grouped(values, counts).merge_dims(1, 2)
