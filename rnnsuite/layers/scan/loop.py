"""The loop over time that all recurrences share, forward and backward.

Forward, what the inputs contribute is one matrix product for all steps, and the loop holds
only what depends on the state. Backward, everything that needs no gradient is computed for
all steps at once, the loop carries the gradient of the states, and the weights' gradients
are one product after it. Both loops are small enough for XLA.

Steps are counted in the order in which they run; `backwards` runs from the last to the first.
"""

import dataclasses
import functools
from typing import NamedTuple

import tensorflow as tf

from rnnsuite.layers.scan.recurrence import Recurrence, Tensors


@dataclasses.dataclass(frozen=True)
class Loop:
    """What is fixed when a loop is traced; two equal ones share their compilations.

    Args:
        recurrence: its equations.
        backwards: from the last step to the first.
        sequences: whether the outputs of all steps are wanted.
        compiled: by XLA.
        zoneout_mix: for each state, how much of the new value is mixed in (1 is all of it).
    """

    recurrence: Recurrence
    backwards: bool
    sequences: bool
    compiled: bool
    zoneout_mix: tuple[float, ...]


class Steps(NamedTuple):
    """Which steps count, in the order of running.

    Args:
        count: how many there are.
        first, end: those to be run; the others change nothing.
        valid: None, or booleans `[time, batch, 1]`, false at padding.
        visible: None with `valid`, or booleans `[time, batch, 1]`: where the output shows the
            state; it is zero elsewhere.
        zoneout_update: for each state None, or booleans `[time, batch, units]`: units that take the
            new value.
        fresh: None, or booleans `[time, batch, 1]`: where the states are zero before the step.
    """

    count: tf.Tensor
    first: tf.Tensor
    end: tf.Tensor
    valid: tf.Tensor | None
    visible: tf.Tensor | None
    zoneout_update: tuple
    fresh: tf.Tensor | None = None


def scan(
    loop: Loop,
    a_TxBxG: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    steps: Steps,
    save_residuals: bool,
) -> tuple[tf.Tensor, Tensors]:
    """Runs a recurrence over time. Differentiable once: second derivatives raise LookupError.

    Args:
        loop: what is run, and how.
        a_TxBxG: what the inputs contribute.
        states: before the first step.
        weights: the recurrent ones.
        steps: which steps run, and what masks do.
        save_residuals: whether what the gradient needs is kept for it; otherwise it runs the loop
            again.

    Returns:
        Outputs `[batch, time, units]` (one number that means nothing without `loop.sequences`) and
        the last states.
    """
    # TensorFlow differentiates stock operations, and an exported graph has no gradient of ours.
    if not loop.compiled:
        return _forward(loop, False)(a_TxBxG, states, weights, steps)[:2]
    n = len(states)

    @tf.custom_gradient
    def differentiable(*inputs):
        a, *rest = unwatched(inputs)
        states = tuple(rest[:n])
        weights = tuple(rest[n:])
        y, last, *residues = _forward(loop, save_residuals)(a, states, weights, steps)
        residues = residues if save_residuals else None

        @tf.custom_gradient
        def gradient(dy, *others):
            dy, *d_last = unwatched((dy, *others[:n]))
            residuals = residues or _forward(loop, True)(a, states, weights, steps)[2:]
            transposed = tuple(tf.transpose(weight) for weight in weights)
            return _backward(loop)(
                dy, tuple(d_last), transposed, steps, *residuals
            ), no_second_derivative

        # One number of `a` stands for it where it is not needed again, so that its memory is free.
        return (y, *last), lambda *d: gradient(
            *d, inputs[0][:1, :1, :1] if save_residuals else inputs[0], *inputs[1:]
        )

    y, *last = differentiable(a_TxBxG, *states, *weights)
    return y, tuple(last)


def unwatched(tensors) -> list:
    """No tape sees what is done with these: the gradient is our own."""
    return [tf.stop_gradient(tensor) for tensor in tensors]


def no_second_derivative(*_):
    raise LookupError(
        "rnnsuite's recurrent layers have first derivatives only; keras.layers' have more, with "
        "the same weights"
    )


@functools.cache
def _forward(loop: Loop, save_residuals: bool):
    recurrence = loop.recurrence

    def forward(a, states, weights, steps):
        inside = recurrence.step(a[0], states, weights)[1]
        shown = states[: loop.sequences]
        residuals = (*states, *inside) if save_residuals else ()
        arrays = [_zeros(tf.shape(a)[0], v, loop.compiled) for v in (*shown, *residuals)]
        # Whatever the loop carries is computed once; fused, XLA computes a gate again for each of
        # its uses.
        carried = () if save_residuals or not loop.compiled else inside

        def body(p, states, arrays, _):
            t = _place(loop, steps, p)
            before = begun(steps, p, states)
            proposed, saved = recurrence.step(a[t], before, weights)
            # What a step begins with is at hand; writing what it ends with would have XLA compute
            # that twice.
            values = [(_before(p), v) for v in states[: len(shown)]] + [
                (t, v) for v in (*before, *saved)
            ]
            arrays = [array.write(*v) for array, v in zip(arrays, values, strict=False)]
            return p + 1, taken(loop, steps, p, before, proposed), arrays, saved if carried else ()

        start = (steps.first, tuple(states), arrays, carried)
        _, last, arrays, carried = tf.while_loop(lambda p, *_: p < steps.end, body, start)
        if shown:
            arrays[0] = arrays[0].write(_before(steps.end), last[0])
        arrays = [array.stack() for array in arrays]
        y = _present(steps, arrays.pop(0), last[0]) if shown else tf.zeros([], a.dtype)
        if not save_residuals:
            return y, last, carried
        return y, last, tuple(arrays[: len(states)]), tuple(arrays[len(states) :])

    return _traced(forward, loop)


@functools.cache
def _backward(loop: Loop):
    recurrence = loop.recurrence

    def backward(dy, d_last, weights, steps, previous, saved):
        if loop.sequences:
            dy, d_end = _received(steps, dy)
            d_last = (d_last[0] + d_end, *d_last[1:])
        local_derivatives = recurrence.local_derivatives(saved, previous, weights)
        step_gradients = recurrence.step_backward(
            [v[0] for v in local_derivatives], d_last, weights
        )[0]
        arrays = [_zeros(tf.shape(previous[0])[0], v, loop.compiled) for v in step_gradients]

        def body(p, d_states, arrays):
            t = _place(loop, steps, p)
            if loop.sequences:
                d_states = (d_states[0] + dy[p], *d_states[1:])
            d_new, d_stay = _divided(loop, steps, p, d_states)
            step_gradients, d_before = recurrence.step_backward(
                [v[t] for v in local_derivatives], d_new, weights
            )
            d_before = tuple(
                d if stay is None else d + stay for d, stay in zip(d_before, d_stay, strict=True)
            )
            return (
                p - 1,
                begun(steps, p, d_before),
                [array.write(t, v) for array, v in zip(arrays, step_gradients, strict=True)],
            )

        _, d_first, arrays = tf.while_loop(
            lambda p, *_: p >= steps.first, body, (steps.end - 1, d_last, arrays)
        )
        da, d_weights = recurrence.weight_gradients(
            [array.stack() for array in arrays], saved, previous
        )
        return (da, *d_first, *d_weights[: len(weights)])

    return _traced(backward, loop)


def _traced(function, loop: Loop):
    return tf.function(function, jit_compile=True, autograph=False) if loop.compiled else function


def _zeros(time: tf.Tensor, like_BxN: tf.Tensor, compiled: bool) -> tf.TensorArray:
    if not compiled:
        return tf.TensorArray(like_BxN.dtype, time, element_shape=like_BxN.shape)
    zeros = tf.zeros(tf.concat([[time], tf.shape(like_BxN)], axis=0), like_BxN.dtype)
    return tf.TensorArray(like_BxN.dtype, time, element_shape=like_BxN.shape).unstack(zeros)


def _place(loop: Loop, steps: Steps, p: tf.Tensor) -> tf.Tensor:
    """Where in the data the step stands that runs as number p."""
    return steps.count - 1 - p if loop.backwards else p


def _before(p: tf.Tensor) -> tf.Tensor:
    return tf.maximum(p - 1, 0)


def begun(steps: Steps, p: tf.Tensor, states: Tensors) -> Tensors:
    """The states, or their gradients, with zeros where step p begins anew."""
    if steps.fresh is None:
        return states
    return tuple(tf.where(steps.fresh[p], tf.zeros_like(v), v) for v in states)


def _taking(steps: Steps, p: tf.Tensor, state: int) -> tf.Tensor | None:
    """Which units of a state take the new value in step p; None is all."""
    masks = [mask[p] for mask in (steps.valid, steps.zoneout_update[state]) if mask is not None]
    return functools.reduce(tf.logical_and, masks) if masks else None


def taken(loop: Loop, steps: Steps, p: tf.Tensor, before: Tensors, proposed: Tensors) -> Tensors:
    """The states after a step, of those before it and what it proposes."""
    after = []
    for state, (old, new) in enumerate(zip(before, proposed, strict=True)):
        taking = _taking(steps, p, state)
        zoneout_mix = loop.zoneout_mix[state]
        new = new if zoneout_mix == 1 else old + zoneout_mix * (new - old)
        after.append(new if taking is None else tf.where(taking, new, old))
    return tuple(after)


def _divided(loop: Loop, steps: Steps, p: tf.Tensor, d_after: Tensors) -> tuple[list, list]:
    """The gradients of the states after a step, divided into those of what it proposed and of what
    stayed.
    """
    d_new = []
    d_stay = []
    for state, d in enumerate(d_after):
        taking = _taking(steps, p, state)
        zoneout_mix = loop.zoneout_mix[state]
        stay = None
        if taking is not None:
            zero = tf.zeros_like(d)
            d, stay = tf.where(taking, d, zero), tf.where(taking, zero, d)
        if zoneout_mix != 1:
            d, stay = (
                zoneout_mix * d,
                (1 - zoneout_mix) * d if stay is None else stay + (1 - zoneout_mix) * d,
            )
        d_new.append(d)
        d_stay.append(stay)
    return d_new, d_stay


def _present(steps: Steps, y_TxBxH: tf.Tensor, last_BxH: tf.Tensor) -> tf.Tensor:
    """Outputs as the layer shows them: the last one repeated after the end, zero before anything
    was seen.
    """
    if steps.visible is not None:
        y_TxBxH = tf.where(_after(steps, y_TxBxH), last_BxH, y_TxBxH)
        y_TxBxH = tf.where(steps.visible, y_TxBxH, tf.zeros_like(y_TxBxH))
    return tf.transpose(y_TxBxH, [1, 0, 2])


def _received(steps: Steps, dy_BxTxH: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The gradient of what `_present` was given: (for each step, for the last output).

    At padding, a gradient that is not a number counts as none.
    """
    dy_TxBxH = tf.transpose(dy_BxTxH, [1, 0, 2])
    zeros = tf.zeros_like(dy_TxBxH)
    if steps.visible is None:
        return dy_TxBxH, zeros[0]
    wanted = tf.logical_and(steps.visible, tf.logical_or(steps.valid, tf.math.is_finite(dy_TxBxH)))
    dy_TxBxH = tf.where(wanted, dy_TxBxH, zeros)
    return dy_TxBxH, tf.reduce_sum(tf.where(_after(steps, dy_TxBxH), dy_TxBxH, zeros), axis=0)


def _after(steps: Steps, v_TxBxH: tf.Tensor) -> tf.Tensor:
    return tf.range(tf.shape(v_TxBxH)[0])[:, None, None] >= steps.end
