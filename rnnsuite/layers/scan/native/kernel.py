"""A sequence by a native kernel, and its gradient."""

import dataclasses
import os
import sys

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from rnnsuite.core import context
from rnnsuite.layers.scan import algebra
from rnnsuite.layers.scan.gru import GRU
from rnnsuite.layers.scan.linear import MinGRU
from rnnsuite.layers.scan.loop import no_second_derivative, unwatched
from rnnsuite.layers.scan.lstm import LSTM
from rnnsuite.layers.scan.native.shared_library import library
from rnnsuite.layers.scan.recurrence import Recurrence, Tensors


@dataclasses.dataclass(frozen=True)
class Kernel:
    """The operations of a recurrence.

    Args:
        name: theirs in the library.
        has_product: whether a step multiplies the state by a matrix.
        has_recurrent_bias: whether that product has a bias of its own.
    """

    name: str
    has_product: bool = True
    has_recurrent_bias: bool = False


KERNELS = {
    LSTM: Kernel("lstm"),
    GRU: Kernel("gru", has_recurrent_bias=True),
    MinGRU: Kernel("min_gru", has_product=False),
}
SAVING = ("keras.src.export", "tensorflow.python.saved_model")
"""Modules that trace what they save: a graph of theirs runs in processes that know no kernel."""


def _may_be_here() -> bool:
    """Whether a native kernel may be part of the graph that is traced now, and can be had."""
    graph = tf.compat.v1.get_default_graph()
    if control_flow_util.GraphOrParentsInXlaContext(graph) or _is_saved():
        return False
    return library() is not None


def _is_saved() -> bool:
    frame = sys._getframe()
    while frame:
        if frame.f_globals.get("__name__", "").startswith(SAVING):
            return True
        frame = frame.f_back
    return False


def fits(
    recurrence: Recurrence, dtype: tf.DType, zoneout_mix: Tensors, zoneout_update: tuple
) -> bool:
    """Whether there is a kernel, here, for a recurrence and what is asked of it.

    Args:
        recurrence: its equations.
        dtype: of the inputs.
        zoneout_mix, zoneout_update: as `Loop` and `Steps` have them; a kernel has no zoneout.
    """
    has_zoneout = any(mix != 1 for mix in zoneout_mix) or any(u is not None for u in zoneout_update)
    can_do = type(recurrence) in KERNELS and dtype == tf.float32 and not has_zoneout
    return can_do and _may_be_here()


def run(
    recurrence: Recurrence,
    x_BxTxD: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    *,
    mask: tf.Tensor | None,
    fresh: tf.Tensor | None,
    backwards: bool,
    sequences: bool,
    zero_masked: bool,
    save_residuals: bool,
) -> tuple[tf.Tensor, tf.Tensor | None, Tensors]:
    """Runs a recurrence that `fits`.

    Args:
        recurrence, x_BxTxD, states, weights, mask, fresh, backwards, sequences, zero_masked: as
            `scan.run` takes them.
        save_residuals: whether what the gradient needs is kept for it.

    Returns:
        The last output, the outputs or None, and the last states.
    """
    if mask is not None:
        x_BxTxD = tf.where(mask[:, :, None], x_BxTxD, tf.zeros_like(x_BxTxD))
    kernel, *recurrent, bias = weights
    a_BxTxG = _projected(x_BxTxD, kernel)
    biases = () if bias is None else tuple(tf.unstack(bias)) if bias.shape.rank == 2 else (bias,)
    options = {
        "backwards": backwards,
        "zero_masked": zero_masked,
        "sequences": sequences,
        "threads": max(1, _cores() // context.parallel()),
    }
    nowhere = tf.zeros([0, 0], tf.bool)
    flags = (nowhere if mask is None else mask, nowhere if fresh is None else fresh)
    y_BxTxH, states = _scan(
        KERNELS[type(recurrence)],
        a_BxTxG,
        states,
        (*recurrent, *biases),
        flags,
        options,
        save_residuals,
    )
    if sequences:
        y_BxTxH.set_shape([*a_BxTxG.shape[:2], states[0].shape[-1]])
    last = states[0]
    if mask is not None:
        end = mask[:, 0 if backwards else -1] if zero_masked else tf.reduce_any(mask, axis=1)
        last = tf.where(end[:, None], last, tf.zeros_like(last))
    return last, y_BxTxH if sequences else None, states


@tf.custom_gradient
def _projected(x_BxTxD: tf.Tensor, kernel: tf.Tensor):
    """x W. A product with a matrix that stands transposed is faster than a transposing product."""

    def gradient(d_BxTxG):
        return algebra.project(d_BxTxG, tf.transpose(kernel), None), algebra.outer(x_BxTxD, d_BxTxG)

    return algebra.project(x_BxTxD, kernel, None), gradient


def _cores() -> int:
    return tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))


def _scan(
    kernel: Kernel,
    a_BxTxG: tf.Tensor,
    states: Tensors,
    weights: Tensors,
    flags: Tensors,
    options: dict,
    save_residuals: bool,
) -> tuple[tf.Tensor, Tensors]:
    """Outputs and last states. Differentiable once: second derivatives raise LookupError.

    `weights`: the recurrent kernel, the bias of the inputs, that of the product, if there are any.
    """
    forward, backward = _operations(kernel)
    n = len(states)
    products = int(kernel.has_product)

    def ran(a, states, weights, save):
        biases = weights[products:] or (tf.zeros([0]),) * (1 + kernel.has_recurrent_bias)
        weights = (*weights[:products], *biases)
        return forward(a, *states, *weights, *flags, save=save, **options)

    @tf.custom_gradient
    def differentiable(*inputs):
        a, *rest = unwatched(inputs)
        states = tuple(rest[:n])
        weights = tuple(rest[n:])
        y, *others = ran(a, states, weights, save_residuals)
        last = [_like(v, state) for v, state in zip(others[:n], states, strict=True)]
        residues = others[n:]

        @tf.custom_gradient
        def gradient(dy, *others):
            dy, *d_last = unwatched((dy, *others[:n]))
            saved, *before = residues if save_residuals else ran(a, states, weights, True)[1 + n :]
            given = (dy, *d_last, *weights[:products], saved, *before, *flags)
            d_inputs, *found = backward(*given, **options)
            d_products = found[0] if kernel.has_recurrent_bias else d_inputs
            d_first = [_like(v, state) for v, state in zip(found[-n:], states, strict=True)]
            d_inputs, d_products = (_of_width(v, a.shape[-1]) for v in (d_inputs, d_products))
            h_before = _of_width(before[0], states[0].shape[-1])
            d_biases = map(_sum_of_rows, (d_inputs, d_products)[: len(weights) - products])
            d_kernels = [algebra.outer(h_before, d_products)] * products
            d_weights = (*d_kernels, *d_biases)
            return (_like(d_inputs, a), *d_first, *d_weights), no_second_derivative

        # One number of `a` stands for it where it is not needed again, so that its memory is free.
        return (y, *last), lambda *d: gradient(
            *d, inputs[0][:1, :1, :1] if save_residuals else inputs[0], *inputs[1:]
        )

    y, *last = differentiable(a_BxTxG, *states, *weights)
    return y, tuple(last)


def _operations(kernel: Kernel) -> tuple:
    loaded = library()
    assert loaded
    return loaded.operation(kernel.name), loaded.operation(f"{kernel.name}_grad")


def _sum_of_rows(v_BxTxN: tf.Tensor) -> tf.Tensor:
    """Four times as fast as `tf.reduce_sum`."""
    return tf.raw_ops.BiasAddGrad(out_backprop=v_BxTxN)


def _of_width(v: tf.Tensor, width: int) -> tf.Tensor:
    v.set_shape([None, None, width])
    return v


def _like(v: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    v.set_shape(other.shape)
    return v
