"""How gradients fare in a recurrent network: where they vanish, explode or are clipped."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.layers import form

log = logging.getLogger(__name__)
STEPS = 20  # a sequence shorter than this is not judged
FALL = 1e-3  # of the gradient from the last tenth of the steps to the first, below which it vanishes
LARGE = 1.0  # a gradient of the loss with respect to a state that is below this explodes nothing
CLIPPED = 0.5  # share of steps, above which clipping steers the training


def measure(model: keras.Model, loss: Callable[[], tf.Tensor]) -> dict[str, Any]:
    """Gradients of `loss()`, a call of `model` and what it is worth, run eagerly and without dropout.

    Gives `layers`: for each layer's path the norms of its `gradient` and `weight`; `states`:
    for each recurrent layer the norm of the gradient with respect to its state after every
    step, in the order of running, over the batch.
    """
    with tf.GradientTape() as tape, form.noting_states() as states:
        value = loss()
    weights = [weight.value for weight in model.trainable_variables]
    of_weights, of_states = tape.gradient(value, [weights, dict(states)])
    layers: dict[str, dict[str, float]] = {}
    for path, pairs in _by_layer(model.trainable_variables, of_weights).items():
        layers[path] = {"gradient": _norm(gradient for _, gradient in pairs), "weight": _norm(w for w, _ in pairs)}
    return {
        "layers": layers,
        "states": {path: [_norm([each]) for each in gradients] for path, gradients in of_states.items()},
    }


def updates(before: Sequence[np.ndarray], variables: Sequence[keras.Variable]) -> dict[str, float]:
    """For each layer's path, the norm of what an update changed over that of the weights before it."""
    pairs = _by_layer(variables, before)
    return {
        path: _norm(weight.numpy() - old for weight, old in each) / max(_norm(old for _, old in each), 1e-12)
        for path, each in pairs.items()
    }


def warnings(health: Mapping[str, Any], clipped: float = 0.0) -> list[str]:
    """What is wrong with what `measure` gave, each with the layer and the likely remedy."""
    found = []
    for path, norms in health["states"].items():
        ratio = fall(norms)
        if not ratio:
            continue
        if ratio < FALL:
            found.append(
                f"{path}: the gradient falls to {ratio:.0e} of itself over {len(norms)} steps back; it vanishes. "
                "Try an LSTM or GRU, a recurrent kernel that starts orthogonal (or the identity, with ReLU), "
                "pooling or attention over all steps, or shorter sequences."
            )
        elif ratio > 1 / FALL and np.argmax(norms) < len(norms) // 10 and max(norms) > LARGE:
            # Largest where it has come farthest. Where it is large elsewhere, attention has put it there.
            found.append(
                f"{path}: the gradient grows {ratio:.0e} times over {len(norms)} steps back; it explodes. "
                "Lower train.clip_norm or train.learning_rate, or start the recurrent kernel orthogonal."
            )
    for path, norms in health["layers"].items():
        if not math.isfinite(norms["gradient"]):
            found.append(
                f"{path}: its gradient is not finite. Lower train.learning_rate, and look for NaN in the data."
            )
        elif norms["gradient"] == 0:
            found.append(f"{path}: no gradient reaches it. Is it used, and by something differentiable?")
    if clipped > CLIPPED:
        found.append(
            f"{clipped:.0%} of the steps were clipped. Lower train.learning_rate, or raise train.clip_norm "
            "if the loss falls steadily."
        )
    return found


def fall(norms: Sequence[float]) -> float | None:
    """The gradient in the first tenth of the steps over that in the last; None where that says nothing."""
    tenth = len(norms) // 10
    if len(norms) < STEPS or not np.isfinite(norms).all() or not np.mean(norms[-tenth:]):
        return None
    return max(float(np.mean(norms[:tenth]) / np.mean(norms[-tenth:])), 1e-300)


class GradientHealth(keras.callbacks.Callback):
    """`measure` at the end of every epoch of `fit`, on one batch; `history` holds what it gave.

    inputs, targets: the batch, as `fit` takes it; a few rows are enough. Each entry of
    `history` also has `updates` (see `updates`), of the epoch's first step. Warnings are logged.
    """

    def __init__(self, inputs: Any, targets: Any):
        super().__init__()
        self.inputs, self.targets = inputs, targets
        self.history: list[dict[str, Any]] = []
        self._before: list[np.ndarray] | None = None
        self._updates: dict[str, float] = {}

    def on_epoch_begin(self, epoch, logs=None):
        self._before = [weight.numpy() for weight in self.model.trainable_variables]

    def on_train_batch_end(self, batch, logs=None):
        if self._before is not None:
            self._updates, self._before = updates(self._before, self.model.trainable_variables), None

    def on_epoch_end(self, epoch, logs=None):
        def loss():
            return self.model.compute_loss(self.inputs, self.targets, self.model(self.inputs, training=False))

        health = {**measure(self.model, loss), "updates": self._updates}
        self.history.append(health)
        for warning in warnings(health):
            log.warning("epoch %d: %s", epoch + 1, warning)


def _by_layer(variables: Sequence[keras.Variable], others: Sequence[Any]) -> dict[str, list[tuple]]:
    found: dict[str, list[tuple]] = {}
    for variable, other in zip(variables, others, strict=True):
        found.setdefault(variable.path.rsplit("/", 1)[0], []).append((variable, other))
    return found


def _norm(tensors: Any) -> float:
    """The norm of all of them together; what has no gradient counts as zero."""
    squares = (float(np.sum(np.square(_array(each)), dtype=np.float64)) for each in tensors if each is not None)
    return math.sqrt(sum(squares))


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tf.convert_to_tensor(tensor), dtype=np.float64)
