"""Examples to batches: shuffled and bucketed by length, or laid end to end."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Augment = Callable[[Any, Any, tf.Tensor], tuple]


def bucketed(
    examples: tf.data.Dataset,
    length: Callable[[Any], tf.Tensor],
    boundaries: Sequence[int],
    batch_size: int | Callable[[int], int],
    seed: int | None = None,
    augment: Augment | None = None,
    shuffle: int = 200_000,
) -> tf.data.Dataset:
    """Batches of examples of similar length, padded with zeros to the longest in the batch.

    Args:
        examples: (inputs, targets), unbatched.
        length: `length(inputs)` is the scalar that decides the bucket.
        boundaries: inclusive upper bounds of the buckets; a longer example has a bucket of its own.
        batch_size: examples in a batch, or a function of a bucket's bound.
        seed: the order is drawn from it and from nothing else, so the same seed gives the same
            batches; None for the order of `examples`.
        augment: with a seed, `augment(inputs, targets, seed)` alters every example, with a seed of
            its own.
        shuffle: examples in the shuffle buffer.

    Returns:
        A data set of batches.
    """
    if seed is not None:
        examples = _shuffled(examples, seed, augment, shuffle)
    size_of = batch_size if callable(batch_size) else lambda _: batch_size

    def size(*example):
        return tf.cast(length(example[0]), tf.int32)

    return examples.bucket_by_sequence_length(
        size,
        bucket_boundaries=[bound + 1 for bound in boundaries],
        bucket_batch_sizes=[size_of(bound) for bound in (*boundaries, 2 * boundaries[-1])],
        pad_to_bucket_boundary=False,
    ).prefetch(tf.data.AUTOTUNE)


def _shuffled(examples: tf.data.Dataset, seed: int, augment: Augment | None, shuffle: int):
    examples = examples.shuffle(shuffle, seed=seed, reshuffle_each_iteration=False)
    if augment is None:
        return examples

    def altered(number, example):
        inputs, targets = example
        return augment(inputs, targets, tf.stack([tf.cast(seed, tf.int64), number]))

    return examples.enumerate().map(altered, num_parallel_calls=tf.data.AUTOTUNE)


def contiguous(examples: tf.data.Dataset, batch_size: int, window: int) -> tf.data.Dataset:
    """Batches for truncated backpropagation through time: row i of a batch goes on in the next.

    All examples are laid end to end, in their order, and divided into `batch_size` equal rows,
    each cut into windows; what does not fill the last step of every row is left out.

    Args:
        examples: (inputs, targets) whose every array is `[time, ...]`, with time the same in all.
        batch_size: rows of a batch.
        window: steps of a batch; the last batch may have fewer.

    Returns:
        A data set of batches `[batch_size, window, ...]`.
    """
    flat = examples.unbatch()
    total = int(flat.reduce(0, lambda number, _: number + 1))
    steps = total // batch_size
    if not steps:
        return flat.take(0).batch(1).batch(batch_size)
    rows = flat.take(steps * batch_size).batch(steps)
    # A row is one long example; the rows become one batch, which is then cut along time.
    whole = rows.batch(batch_size)

    def windows(batch):
        starts = tf.data.Dataset.range(0, steps, window)
        return starts.map(
            lambda start: tf.nest.map_structure(lambda v: v[:, start : start + window], batch)
        )

    return whole.flat_map(lambda *batch: windows(batch)).prefetch(tf.data.AUTOTUNE)
