"""From a layer's call to the loop: precision, padding, and rows side by side."""

from collections.abc import Callable

import tensorflow as tf

from rnnsuite.layers.scan import blocks, native
from rnnsuite.layers.scan import loop as loops
from rnnsuite.layers.scan.plan import Plan, rounded
from rnnsuite.layers.scan.recurrence import Recurrence, Tensors


def run(
    recurrence: Recurrence,
    x_BxTxD: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    *,
    plan: Plan,
    mask: tf.Tensor | None = None,
    fresh: tf.Tensor | None = None,
    backwards: bool = False,
    sequences: bool = True,
    zero_masked: bool = False,
    zoneout_mix: Tensors = (),
    zoneout_update: tuple = (),
    save_residuals: bool = True,
) -> tuple[tf.Tensor, tf.Tensor | None, Tensors]:
    """Runs a recurrence over `[batch, time, features]`, in float32 where inputs are narrower.

    Args:
        recurrence: its equations.
        x_BxTxD: the inputs.
        states: before the first step.
        weights: as the recurrence takes them.
        plan: how it is run.
        mask: booleans `[batch, time]`, false at padding, anywhere.
        fresh: booleans `[batch, time]`, true where the states are zero before the step.
        backwards: from the last step to the first; outputs come in that order.
        sequences: whether all outputs are wanted.
        zero_masked: outputs at padding are zero, not those of the step before.
        zoneout_mix, zoneout_update: see `loops.Loop` and `.Steps`, but `[batch, time, units]`.
        save_residuals: whether what a gradient needs is kept; without, the gradient runs the loop
            again.

    Returns:
        The last output, the outputs or None, and the last states.
    """
    x_BxTxD = tf.convert_to_tensor(x_BxTxD)
    dtype = x_BxTxD.dtype
    wide = tf.float32 if dtype.size < 4 else dtype
    x_BxTxD, states, weights = _each(
        lambda v: tf.cast(v, wide), (x_BxTxD, tuple(states), tuple(weights))
    )
    if plan.native and native.fits(recurrence, wide, zoneout_mix, zoneout_update):
        last, y, states = native.run(
            recurrence,
            x_BxTxD,
            states,
            weights,
            mask=mask,
            fresh=fresh,
            backwards=backwards,
            sequences=sequences,
            zero_masked=zero_masked,
            save_residuals=save_residuals,
        )
    else:
        zoneout_mix = zoneout_mix or (1.0,) * len(states)
        zoneout_update = zoneout_update or (None,) * len(states)
        loop = loops.Loop(recurrence, backwards, sequences, plan.compiled, zoneout_mix)
        rows = (x_BxTxD, mask, fresh, zoneout_update, *states)
        last, y, states = _looped(loop, plan, rows, weights, zero_masked, save_residuals)
    last, y, states = _each(lambda v: tf.cast(v, dtype), (last, y, states))
    return last, y if sequences else None, states


def _looped(loop, plan, rows, weights, zero_masked, save_residuals):
    """`rows`: inputs, mask, beginnings, updates of zoneout, and the states."""

    def shard(x_BxTxD, mask, fresh, zoneout_update, *states):
        steps = _steps(loop, tf.shape(x_BxTxD)[1], mask, zero_masked)
        if fresh is not None:
            steps = steps._replace(fresh=_time_major(loop, fresh))
        updates = _each(lambda v: tf.transpose(v, [1, 0, 2]), zoneout_update)
        steps = steps._replace(zoneout_update=updates)
        return _shard(loop, plan, x_BxTxD, states, weights, mask, steps, save_residuals)

    return _side_by_side(shard, plan, rows)


def _shard(loop, plan, x_BxTxD, states, weights, mask, steps, save_residuals):
    count = tf.shape(x_BxTxD)[1]
    x_TxBxD = tf.transpose(x_BxTxD, [1, 0, 2])
    if mask is not None:
        valid = tf.transpose(mask)[:, :, None]
        x_TxBxD = tf.where(valid, x_TxBxD, tf.zeros_like(x_TxBxD))
    x_TxBxD, steps = _lengthened(loop, plan, x_BxTxD.shape[1], x_TxBxD, steps)
    outputs = []
    recurrent = loop.recurrence.recurrent(weights)
    for x, part in _segments(loop, plan, x_TxBxD, steps):
        a_TxBxG = loop.recurrence.project(x, weights)
        scan = blocks.scan if plan.in_blocks else loops.scan
        y_BxTxH, states = scan(loop, a_TxBxG, states, recurrent, part, save_residuals)
        outputs.append(y_BxTxH)
    output = states[0]
    if steps.visible is not None:
        output = tf.where(steps.visible[count - 1], output, tf.zeros_like(output))
    if not loop.sequences:
        return output, outputs[0], states
    y_BxTxH = tf.concat(outputs, axis=1)
    static_time = x_BxTxD.shape[1]
    whole = not plan.rounded or (static_time is not None and y_BxTxH.shape[1] == static_time)
    return output, y_BxTxH if whole else _cropped(y_BxTxH, count), states


@tf.custom_gradient
def _cropped(y_BxTxH, count):
    """The first `count` steps. A slice's own gradient is several times slower than this one."""
    more = tf.shape(y_BxTxH)[1] - count

    def gradient(d_BxTxH):
        shape = tf.shape(d_BxTxH)
        return tf.concat(
            [d_BxTxH, tf.zeros([shape[0], more, shape[2]], d_BxTxH.dtype)], axis=1
        ), None

    return y_BxTxH[:, :count], gradient


def _lengthened(loop, plan, static_time, x_TxBxD, steps):
    """Both with steps that do not run at the end: segments are equal, and of lengths not known few
    occur.
    """
    if not plan.rounded or (static_time is not None and static_time % plan.segments == 0):
        return x_TxBxD, steps
    count = tf.shape(x_TxBxD)[0] if static_time is None else static_time
    length = -(-count // plan.segments)
    length = plan.segments * (rounded(length, 4) if static_time is None else length)
    more = [0, length - count]

    def filled(v_TxBxN, more=more):
        return tf.pad(v_TxBxN, [more, [0, 0], [0, 0]])

    masks = _each(filled, (steps.valid, steps.visible, steps.zoneout_update, steps.fresh))
    steps = loops.Steps(tf.convert_to_tensor(length), steps.first, steps.end, *masks)
    return filled(x_TxBxD, more[::-1] if loop.backwards else more), steps


def _segments(loop, plan, x_TxBxD, steps) -> list:
    """(inputs, steps) of each, in the order in which they run."""
    if plan.segments == 1:
        return [(x_TxBxD, steps)]
    length = steps.count // plan.segments
    inputs = tf.split(x_TxBxD, plan.segments)[:: -1 if loop.backwards else 1]
    masks = _parted((steps.valid, steps.visible, steps.zoneout_update, steps.fresh), plan.segments)
    parts = []
    for number, part in enumerate(masks):
        first, end = (
            tf.clip_by_value(at - number * length, 0, length) for at in (steps.first, steps.end)
        )
        parts.append(loops.Steps(length, first, end, *part))
    return list(zip(inputs, parts, strict=True))


def _time_major(loop, mask_BxT):
    """`[time, batch, 1]`, in the order of running."""
    mask_TxBx1 = tf.transpose(mask_BxT)[:, :, None]
    return tf.reverse(mask_TxBx1, [0]) if loop.backwards else mask_TxBx1


def _steps(loop, count, mask_BxT, zero_masked) -> loops.Steps:
    if mask_BxT is None:
        return loops.Steps(count, tf.zeros_like(count), count, None, None, ())
    valid = _time_major(loop, mask_BxT)
    visible = valid if zero_masked else tf.cumsum(tf.cast(valid, tf.int32)) > 0
    if not loop.compiled:
        return loops.Steps(count, tf.zeros_like(count), count, valid, visible, ())
    anywhere = tf.where(tf.reduce_any(valid, axis=[1, 2]))[:, 0]
    first = tf.cast(tf.reduce_min(anywhere), tf.int32)
    end = tf.cast(tf.reduce_max(anywhere), tf.int32) + 1
    nothing = tf.equal(tf.size(anywhere), 0)
    first = tf.where(nothing, 0, first)
    end = tf.where(nothing, 0, end)
    return loops.Steps(count, first, end, valid, visible, ())


def _side_by_side(shard: Callable, plan: Plan, rows):
    """`shard(*rows)` in `plan.shards` parts of equal size; with a mask, rows of one length stand
    together.
    """
    if plan.shards == 1:
        return shard(*rows)
    mask = rows[1]
    order = None
    if mask is not None:
        order = tf.argsort(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))
        back = tf.argsort(order)
        rows = _each(lambda v: _permuted(v, order, back), rows)
    batch = tf.shape(rows[0])[0]
    static_batch = rows[0].shape[0]
    part = -(-(batch if static_batch is None else static_batch) // plan.shards)
    if plan.rounded and static_batch is None:
        part = rounded(part, 8)
    if static_batch is None or static_batch % plan.shards:
        rows = _each(lambda v: _filled(v, part * plan.shards - batch), rows)
    traced_once = tf.function(shard, autograph=False)
    parts = [traced_once(*part) for part in _parted(rows, plan.shards)]
    joined = _each(lambda *v: _joined(v, batch, static_batch), *parts)
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


def _joined(parts, batch, static_batch):
    if not parts[0].shape.rank:
        return parts[0]
    whole = tf.concat(parts, axis=0)
    return whole[:batch] if static_batch is None or static_batch % len(parts) else whole


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
