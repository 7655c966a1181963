"""Examples to batches: shuffled and bucketed by length, or laid end to end."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

SHORT = 0.05
"""Share of drawn windows that are half as long."""
LEAST = 5
"""Steps of a drawn window at least."""
Augment = Callable[[Any, Any, tf.Tensor], tuple]


def encoded(
    records: tf.data.Dataset, encode: Callable[[Any], Any], size: int = 256
) -> tf.data.Dataset:
    """What records are encoded to, one by one; they are encoded many at once, which costs less.

    Args:
        records: unbatched.
        encode: `encode(batch)` gives tensors, dense or ragged, in any structure.
        size: records in a batch.

    Returns:
        A data set of the rows of these tensors, which are dense.
    """
    rows = records.batch(size).map(encode, num_parallel_calls=tf.data.AUTOTUNE).unbatch()
    # A row of a ragged tensor is a tensor to a function, but not yet to the data set.
    return rows.map(lambda *parts: parts[0] if len(parts) == 1 else parts)


def bucketed(
    examples: tf.data.Dataset,
    length: Callable[[Any], tf.Tensor],
    boundaries: Sequence[int],
    batch_size: int | Callable[[int], int],
    seed: int | None = None,
    augment: Augment | None = None,
    shuffle: int = 200_000,
    shortest_first: bool = False,
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
        shortest_first: whether the buckets come one after the other, that of the shortest first.

    Returns:
        A data set of batches.
    """
    if seed is not None:
        examples = _shuffled(examples, seed, augment, shuffle)
    size_of = batch_size if callable(batch_size) else lambda _: batch_size

    def size(*example):
        return tf.cast(length(example[0]), tf.int32)

    bounds = [bound + 1 for bound in boundaries]
    sizes = [size_of(bound) for bound in (*boundaries, 2 * boundaries[-1])]

    def in_buckets(part):
        return part.bucket_by_sequence_length(size, bounds, sizes, pad_to_bucket_boundary=False)

    if not shortest_first:
        return in_buckets(examples).prefetch(tf.data.AUTOTUNE)
    edges = list(itertools.pairwise([0, *bounds, 2**31 - 1]))
    parts = [
        examples.filter(lambda *e, low=low, high=high: (size(*e) >= low) & (size(*e) < high))
        for low, high in edges
    ]
    batched = [in_buckets(part) for part in parts]
    return functools.reduce(lambda one, other: one.concatenate(other), batched).prefetch(
        tf.data.AUTOTUNE
    )


def in_grains(x: tf.Tensor, grain: int) -> tf.Tensor:
    """`[n]` with zeros behind it, up to a multiple of a grain: few lengths are compiled."""
    size = tf.shape(x)[0]
    missing = -(-size // grain) * grain - size
    return tf.concat([x, tf.zeros([missing], x.dtype)], axis=0)


def _shuffled(examples: tf.data.Dataset, seed: int, augment: Augment | None, shuffle: int):
    examples = examples.shuffle(shuffle, seed=seed, reshuffle_each_iteration=False)
    if augment is None:
        return examples

    def altered(number, example):
        inputs, targets = example
        return augment(inputs, targets, tf.stack([tf.cast(seed, tf.int64), number]))

    return examples.enumerate().map(altered, num_parallel_calls=tf.data.AUTOTUNE)


def contiguous(
    examples: tf.data.Dataset,
    batch_size: int,
    window: int,
    spread: float = 0.0,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Batches for truncated backpropagation through time: row i of a batch goes on in the next.

    All examples are laid end to end, in their order, and divided into `batch_size` equal rows,
    each cut into windows; what does not fill the last step of every row is left out.

    Args:
        examples: (inputs, targets) whose every array is `[time, ...]`, with time the same in all.
        batch_size: rows of a batch.
        window: steps of a batch; the last batch may have fewer.
        spread: with a seed, the standard deviation of windows' steps, and one of twenty windows is
            half as long (Merity et al., arXiv 1708.02182, section 5).
        seed: the windows are drawn from it and from nothing else; None for equal ones.

    Returns:
        A data set of batches `[batch_size, window, ...]`.
    """
    rows = end_to_end(examples, batch_size)
    return windows(rows, window, spread, seed)


def end_to_end(examples: tf.data.Dataset, batch_size: int) -> Any:
    """Examples `[time, ...]`, one behind the other, in rows `[batch_size, steps, ...]`."""
    parts = [tf.nest.map_structure(_flat, part) for part in examples.ragged_batch(1024)]
    if not parts:
        raise ValueError("there are no examples to be laid end to end")
    whole = tf.nest.map_structure(lambda *v: tf.concat(v, axis=0), *parts)

    def in_rows(v):
        steps = v.shape[0] // batch_size
        return tf.reshape(v[: steps * batch_size], [batch_size, steps, *v.shape[1:]])

    return tf.nest.map_structure(in_rows, whole)


def _flat(part):
    """The steps of a batch of sequences, one after the other."""
    if isinstance(part, tf.RaggedTensor):
        return part.flat_values
    return tf.reshape(part, [-1, *part.shape[2:]])


def windows(
    rows: Any, window: int, spread: float = 0.0, seed: int | None = None
) -> tf.data.Dataset:
    """Rows `[batch, steps, ...]` cut along time, as `contiguous` says."""
    steps = int(tf.nest.flatten(rows)[0].shape[1])
    bounds = np.array(_bounds(steps, window, spread, seed), np.int64).reshape(-1, 2)
    pairs = tf.data.Dataset.from_tensor_slices((bounds[:, 0], bounds[:, 1]))
    cut = pairs.map(lambda start, end: tf.nest.map_structure(lambda v: v[:, start:end], rows))
    return cut.prefetch(tf.data.AUTOTUNE)


def _bounds(steps: int, window: int, spread: float, seed: int | None) -> list[tuple[int, int]]:
    """Where each window begins and ends."""
    rng = np.random.default_rng(seed) if seed is not None and spread else None
    bounds = []
    start = 0
    while start < steps:
        size = window
        if rng is not None:
            middle = window / 2 if rng.random() < SHORT else window
            size = max(round(rng.normal(middle, spread)), min(LEAST, window))
        bounds.append((start, min(start + size, steps)))
        start += size
    return bounds
