"""Adversarial training: a loss at the embedded tokens that are worst for the model nearby.

After Miyato, Dai & Goodfellow (arXiv 1605.07725), whose embeddings are normalised first; here the
size of a perturbation goes by the embedded text instead, so that pre-trained ones stay as they are.
"""

import contextlib
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.core.perturbation import Perturbation


class Adversary:
    """Perturbs what a model's `Perturbation` layers see.

    Args:
        model: has one such layer or more.
        size: norm of an example's perturbation, as a share of the norm of what is perturbed.

    Raises:
        UserError: for a model without such a layer.
    """

    def __init__(self, model: keras.Model, size: float):
        self.size = size
        self.layers = [layer for layer in model.layers if isinstance(layer, Perturbation)]
        if not self.layers:
            raise UserError(
                "train.adversarial: this model embeds no tokens that could be perturbed; set it to "
                "0."
            )

    def seen(self) -> list[tf.Tensor]:
        """What the layers gave on in the model's last call."""
        return [layer.seen for layer in self.layers]

    @contextlib.contextmanager
    def attack(self, gradients: Sequence[tf.Tensor]) -> Iterator[None]:
        """Adds the worst perturbation to what the layers see in the calls within.

        Args:
            gradients: of the loss, by what was `seen`.
        """
        with contextlib.ExitStack() as stack:
            for layer, gradient in zip(self.layers, gradients, strict=True):
                stack.enter_context(layer.adding(worst(layer.seen, gradient, self.size)))
            yield


def worst(x_BxTxD: tf.Tensor, gradient_BxTxD: tf.Tensor, size: float) -> tf.Tensor:
    """The perturbation of each example that raises a linear loss most (1605.07725, section 3).

    Args:
        x_BxTxD: the embedded tokens.
        gradient_BxTxD: of the loss. Steps where it is zero, like padding, count for nothing.
        size: norm of the perturbation, as a share of that of the other steps.

    Returns:
        Like x_BxTxD; zeros for an example without a gradient.
    """
    g_BxTxD = tf.cast(gradient_BxTxD, tf.float32)
    counted_BxTx1 = tf.reduce_any(g_BxTxD != 0.0, axis=-1, keepdims=True)
    x = tf.where(counted_BxTx1, tf.cast(x_BxTxD, tf.float32), 0.0)
    # Gradients of a mean over a batch are small: their squares must not vanish.
    g_BxTxD = tf.math.divide_no_nan(g_BxTxD, tf.reduce_max(tf.abs(g_BxTxD), [1, 2], keepdims=True))
    scale_Bx1x1 = tf.math.divide_no_nan(size * _norm(x), _norm(g_BxTxD))
    return tf.stop_gradient(tf.cast(scale_Bx1x1 * g_BxTxD, x_BxTxD.dtype))


def _norm(x_BxTxD: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(x_BxTxD), [1, 2], keepdims=True))
