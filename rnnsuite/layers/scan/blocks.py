"""The forward loop of what LiteRT runs: several steps in each pass, for a known number of steps.

A pass of LiteRT's WHILE copies all that it carries, the inputs' contributions and the outputs of
all steps included; with one step a pass that is quadratic in time.
"""

import tensorflow as tf

from rnnsuite.layers.scan import loop as loops
from rnnsuite.layers.scan.recurrence import Tensors

STEPS = 8
"""Of a pass."""


def scan(
    loop: loops.Loop,
    a_TxBxG: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    steps: loops.Steps,
    save_residuals: bool = False,
) -> tuple[tf.Tensor, Tensors]:
    """Runs a recurrence over time, like `loops.scan`, without a gradient.

    Args:
        loop: what is run.
        a_TxBxG: what the inputs contribute, of a static number of steps.
        states: before the first step.
        weights: the recurrent ones.
        steps: what masks do; all steps run.
        save_residuals: not used.

    Returns:
        Outputs `[batch, time, units]` and the last states.
    """
    if loop.backwards:  # masks are in the order of running already
        a_TxBxG = tf.reverse(a_TxBxG, [0])
    time = a_TxBxG.shape[0]
    passes = time // STEPS

    def some(start, count, states):
        """The outputs of so many steps, and the states after them."""
        a = tf.unstack(_part(a_TxBxG, start, count))
        part = loops.Steps(
            steps.count,
            steps.first,
            steps.end,
            *(_part(mask, start, count) for mask in (steps.valid, steps.visible)),
            steps.zoneout_update,
            _part(steps.fresh, start, count),
        )
        outputs = []
        for place in range(count):
            before = loops.begun(part, place, states)
            proposed, _ = loop.recurrence.step(a[place], before, weights)
            states = loops.taken(loop, part, place, before, proposed)
            outputs.append(states[0])
        return tf.stack(outputs), states

    def body(number, states, array):
        outputs, states = some(number * STEPS, STEPS, states)
        return number + 1, states, array.write(number, outputs)

    parts = []
    if passes:
        # Every place is written. Zeros would be a constant, megabytes of a file of many steps.
        shape = [passes, STEPS, *states[0].shape]
        wide = tf.tile(a_TxBxG, [1, 1, -(-shape[-1] // a_TxBxG.shape[-1])])
        unwritten = tf.reshape(_part(wide, 0, passes * STEPS)[..., : shape[-1]], shape)
        array = tf.TensorArray(a_TxBxG.dtype, passes, element_shape=shape[1:]).unstack(unwritten)
        start = (0, tuple(states), array)
        _, states, array = tf.while_loop(lambda number, *_: number < passes, body, start)
        parts.append(tf.reshape(array.stack(), [passes * STEPS, *states[0].shape]))
    if time % STEPS:
        outputs, states = some(passes * STEPS, time % STEPS, states)
        parts.append(outputs)
    y_TxBxH = tf.concat(parts, axis=0)
    return tf.transpose(_shown(y_TxBxH, steps.visible), [1, 0, 2]), states


def _shown(y_TxBxH: tf.Tensor, visible: tf.Tensor | None) -> tf.Tensor:
    """Outputs, zero where they are not to be seen."""
    return y_TxBxH if visible is None else tf.where(visible, y_TxBxH, tf.zeros_like(y_TxBxH))


def _part(v_TxBxN: tf.Tensor | None, start: tf.Tensor | int, count: int) -> tf.Tensor | None:
    if v_TxBxN is None:
        return None
    return tf.slice(v_TxBxN, [start, 0, 0], [count, *v_TxBxN.shape[1:]])
