"""From a layer's call to the loop: precision, padding, and rows side by side."""

import dataclasses
import math
import os
from collections.abc import Callable

import tensorflow as tf

from rnnsuite.layers.scan import loop as loops
from rnnsuite.layers.scan.recurrence import Recurrence, Tensors

FEWEST_ROWS = 4  # that are worth a stream of their own
ENOUGH_ROWS = 16  # that lose no speed when the batch is divided further


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a sequence is run.

    compiled: by XLA, one compilation for each shape that occurs. streams: parts of the batch
    that run side by side. rounded: whether lengths and parts that are not known beforehand
    are rounded up, so that few shapes occur.
    """

    compiled: bool
    streams: int

    @property
    def rounded(self) -> bool:
        return self.compiled


def plan(batch: int | None, padded: bool) -> Plan:
    """The fastest way that was measured (benchmarks/README.md) for a batch of `batch` rows, None if not known."""
    if tf.executing_eagerly():  # operations run one after another: streams would wait for each other
        return Plan(compiled=True, streams=1)
    cores = os.cpu_count() or 1
    if batch is None:
        return Plan(compiled=True, streams=2 * cores if padded else cores)
    # Twice as many parts as cores: with padding, parts sorted by length end at different steps and more of them
    # balance that; without, only half of them hold their temporary memory at a time.
    many = padded or batch >= 2 * cores * ENOUGH_ROWS
    return Plan(compiled=True, streams=max(1, min(2 * cores if many else cores, batch // FEWEST_ROWS)))


STOCK = Plan(compiled=False, streams=1)


def rounded(n: tf.Tensor, steps: int) -> tf.Tensor:
    """`n` rounded up so that of every doubling only `steps` numbers remain: compilations stay few."""
    n = tf.maximum(n, 1)
    bits = tf.cast(tf.math.log(tf.cast(n, tf.float64)) / math.log(2) + 1e-9, tf.int32)
    grain = tf.bitwise.left_shift(1, tf.maximum(bits - int(math.log2(steps)), 0))
    return -(-n // grain) * grain


def run(
    recurrence: Recurrence,
    x_BxTxD: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    *,
    plan: Plan,
    mask: tf.Tensor | None = None,
    backwards: bool = False,
    sequences: bool = True,
    zero_masked: bool = False,
    blend: Tensors = (),
    takes: tuple = (),
    keeping: bool = True,
) -> tuple[tf.Tensor, tf.Tensor | None, Tensors]:
    """Runs a recurrence over `[batch, time, features]`: (last output, outputs or None, last states).

    mask: booleans `[batch, time]`, false at padding, anywhere. backwards: from the last step
    to the first; outputs come in that order. zero_masked: outputs at padding are zero, not
    those of the step before. blend, takes: as `loops.Loop` and `loops.Steps` have them, with
    takes `[batch, time, units]`. keeping: what a gradient needs is kept; without it, the
    gradient runs the loop again. Computes in float32 where the inputs are narrower.
    """
    x_BxTxD = tf.convert_to_tensor(x_BxTxD)
    given = x_BxTxD.dtype
    wide = tf.float32 if given.size < 4 else given
    x_BxTxD, states, weights = _each(lambda v: tf.cast(v, wide), (x_BxTxD, tuple(states), tuple(weights)))
    blend, takes = blend or (1.0,) * len(states), takes or (None,) * len(states)
    loop = loops.Loop(recurrence, backwards, sequences, plan.compiled, blend)

    def stream(x_BxTxD, mask, takes, *states):
        return _stream(loop, plan, x_BxTxD, states, weights, mask, zero_masked, takes, keeping)

    last, y, states = _side_by_side(stream, plan, (x_BxTxD, mask, takes, *states))
    last, y, states = _each(lambda v: tf.cast(v, given), (last, y, states))
    return last, y if sequences else None, states


def _stream(loop, plan, x_BxTxD, states, weights, mask, zero_masked, takes, keeping):
    count = tf.shape(x_BxTxD)[1]
    x_TxBxD, takes = _each(lambda v: tf.transpose(v, [1, 0, 2]), (x_BxTxD, takes))
    steps = _steps(loop, count, mask, zero_masked, takes)
    if mask is not None:
        real = tf.transpose(mask)[:, :, None]
        x_TxBxD = tf.where(real, x_TxBxD, tf.zeros_like(x_TxBxD))
    if plan.rounded and x_BxTxD.shape[1] is None:
        length = rounded(count, 4)
        x_TxBxD, steps = _each(lambda v: _lengthened(v, length), (x_TxBxD, steps))
    a_TxBxG = loop.recurrence.project(x_TxBxD, weights)
    y_BxTxH, last = loops.scan(loop, a_TxBxG, states, loop.recurrence.recurrent(weights), steps, keeping)
    if loop.sequences:
        y_BxTxH = y_BxTxH[:, :count]
    output = last[0]
    if steps.seen is not None:
        output = tf.where(steps.seen[count - 1], output, tf.zeros_like(output))
    return output, y_BxTxH, last


def _steps(loop, count, mask_BxT, zero_masked, takes) -> loops.Steps:
    if mask_BxT is None:
        return loops.Steps(count, tf.zeros_like(count), count, None, None, takes)
    real = tf.transpose(mask_BxT)[:, :, None]
    if loop.backwards:
        real = tf.reverse(real, [0])
    seen = real if zero_masked else tf.cumsum(tf.cast(real, tf.int32)) > 0
    if not loop.compiled:
        return loops.Steps(count, tf.zeros_like(count), count, real, seen, takes)
    anywhere = tf.where(tf.reduce_any(real, axis=[1, 2]))[:, 0]
    first = tf.cast(tf.reduce_min(anywhere), tf.int32)
    end = tf.cast(tf.reduce_max(anywhere), tf.int32) + 1
    nothing = tf.equal(tf.size(anywhere), 0)
    first, end = tf.where(nothing, 0, first), tf.where(nothing, 0, end)
    return loops.Steps(count, first, end, real, seen, takes)


def _lengthened(v, length):
    """`[time, ...]` padded to `length`; what has no time stays."""
    if v.shape.rank == 0:
        return v
    return tf.pad(v, [[0, length - tf.shape(v)[0]], [0, 0], [0, 0]])


def _side_by_side(stream: Callable, plan: Plan, rows):
    """`stream(*rows)` in `plan.streams` parts of equal size; with a mask, rows of one length stand together."""
    if plan.streams == 1:
        return stream(*rows)
    mask, order = rows[1], None
    if mask is not None:
        order = tf.argsort(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))
        back = tf.argsort(order)
        rows = _each(lambda v: _permuted(v, order, back), rows)
    batch = tf.shape(rows[0])[0]
    known = rows[0].shape[0]
    part = -(-(batch if known is None else known) // plan.streams)
    if plan.rounded and known is None:
        part = rounded(part, 8)
    if known is None or known % plan.streams:
        rows = _each(lambda v: _filled(v, part * plan.streams - batch), rows)
    parts = [stream(*part) for part in _parted(rows, plan.streams)]
    joined = _each(lambda *v: _joined(v, batch, known), *parts)
    return joined if order is None else _each(lambda v: _permuted(v, back, order), joined)


def _each(function, *structures):
    """`function` of every tensor in equal structures of tuples; what is None stays."""
    if isinstance(structures[0], tuple):
        values = [_each(function, *parts) for parts in zip(*structures, strict=True)]
        return type(structures[0])(*values) if hasattr(structures[0], "_fields") else tuple(values)
    return None if structures[0] is None else function(*structures)


def _parted(rows, parts: int) -> list:
    """As many structures like `rows`, of equal shares of their rows."""
    if rows is None:
        return [None] * parts
    if isinstance(rows, tuple):
        return list(zip(*(_parted(v, parts) for v in rows), strict=True)) if rows else [()] * parts
    return tf.split(rows, parts)


def _joined(parts, batch, known):
    if not parts[0].shape.rank:
        return parts[0]
    whole = tf.concat(parts, axis=0)
    return whole[:batch] if known is None or known % len(parts) else whole


def _filled(v, more):
    return tf.pad(v, [[0, more]] + [[0, 0]] * (v.shape.rank - 1))


def _permuted(v, order, back):
    """Rows in another order, whose gradient is their return and not a scattered sum."""
    if v.shape.rank == 0:
        return v
    if not v.dtype.is_floating:
        return tf.gather(v, order)

    @tf.custom_gradient
    def permuted(v):
        return tf.gather(v, order), lambda d: tf.gather(d, back)

    return permuted(v)
