"""How gradients fare in a recurrent network: where they vanish, explode or are clipped."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.core import context
from rnnsuite.core.weights import stable_names

log = logging.getLogger(__name__)
SMALL = 1e-8  # a norm of weights that are zeros
STEPS = 20  # a sequence shorter than this is not judged
FALL = (
    1e-3  # of the gradient from the last tenth of the steps to the first, below which it vanishes
)
LARGE = 1.0  # a gradient of the loss with respect to a state that is below this explodes nothing
CLIPPED = 0.5  # share of steps, above which clipping steers the training


def measure(model: keras.Model, loss: Callable[[], tf.Tensor]) -> dict[str, Any]:
    """Gradient norms of `loss()` by layer and by time step, without dropout.

    Args:
        model: the Keras model.
        loss: calls it eagerly and gives a scalar.

    Returns:
        `layers`: for each layer's path the norms of its `gradient` and `weight`; `states`: for each
        recurrent layer the norm of the gradient with respect to its state after every step, in the
        order of running, over the batch.
    """
    with tf.GradientTape() as tape, context.record_states() as states:
        value = loss()
    weights = [weight.value for weight in model.trainable_variables]
    gradients: Any = tape.gradient(value, [weights, dict(states)])
    of_weights, of_states = gradients
    layers: dict[str, dict[str, float]] = {}
    for path, pairs in _by_layer(model.trainable_variables, of_weights).items():
        layers[path] = {
            "gradient": _norm(gradient for _, gradient in pairs),
            "weight": _norm(w for w, _ in pairs),
        }
    names = stable_names(of_states)
    return {
        "layers": layers,
        "states": {
            names[path]: [_norm([gradient]) for gradient in of_steps]
            for path, of_steps in of_states.items()
        },
    }


def updates(before: Sequence[np.ndarray], variables: Sequence[keras.Variable]) -> dict[str, float]:
    """By each layer's path, the norm of an update over that of the weights before it."""
    ratios = {}
    for path, changes in _by_layer(variables, before).items():
        size = _norm(old for _, old in changes)
        # Of weights that begin as zeros, such as a bias alone, there is no ratio.
        if size > SMALL:
            ratios[path] = _norm(weight.numpy() - old for weight, old in changes) / size
    return ratios


def warnings(health: Mapping[str, Any], clipped: float = 0.0) -> list[str]:
    """What is wrong with what `measure` gave, each with the layer and the likely remedy."""
    messages = []
    for path, norms in health["states"].items():
        ratio = fall(norms)
        if not ratio:
            continue
        if ratio < FALL:
            messages.append(
                f"{path}: the gradient falls to {ratio:.0e} of itself over {len(norms)} steps "
                f"back; it vanishes. "
                "Try an LSTM or GRU, a recurrent kernel that starts orthogonal (or the identity, "
                "with ReLU), "
                "pooling or attention over all steps, or shorter sequences."
            )
        elif ratio > 1 / FALL and np.argmax(norms) < len(norms) // 10 and max(norms) > LARGE:
            # Largest where it has come farthest. Where it is large elsewhere, attention has put it
            # there.
            messages.append(
                f"{path}: the gradient grows {ratio:.0e} times over {len(norms)} steps back; it "
                f"explodes. "
                "Lower train.clip_norm or train.learning_rate, or start the recurrent kernel "
                "orthogonal."
            )
    for path, norms in health["layers"].items():
        if not math.isfinite(norms["gradient"]):
            messages.append(
                f"{path}: its gradient is not finite. Lower train.learning_rate, and look for NaN "
                f"in the data."
            )
        elif norms["gradient"] == 0:
            messages.append(
                f"{path}: no gradient reaches it. Is it used, and by something differentiable?"
            )
    if clipped > CLIPPED:
        messages.append(
            f"{clipped:.0%} of the steps were clipped. Lower train.learning_rate, or raise "
            f"train.clip_norm "
            "if the loss falls steadily."
        )
    return messages


def fall(norms: Sequence[float]) -> float | None:
    """The mean gradient in the first tenth of the steps over that in the last, or None."""
    tenth = len(norms) // 10
    if len(norms) < STEPS or not np.isfinite(norms).all() or not np.mean(norms[-tenth:]):
        return None
    return max(float(np.mean(norms[:tenth]) / np.mean(norms[-tenth:])), 1e-300)


class GradientHealth(keras.callbacks.Callback):
    """`measure` at the end of every epoch of Keras's `fit`; `history` holds the results.

    Each entry of `history` also has `updates` (see `updates`), of the epoch's first step. Warnings
    are logged.

    Args:
        inputs, targets: a batch, as `fit` takes it; a few rows are enough.
    """

    def __init__(self, inputs: Any, targets: Any):
        super().__init__()
        self.inputs = inputs
        self.targets = targets
        self.history: list[dict[str, Any]] = []
        self._before: list[np.ndarray] | None = None
        self._updates: dict[str, float] = {}

    @property
    def _trained(self) -> Any:
        """The model, which Keras gives before the first epoch."""
        return self.model

    def on_epoch_begin(self, epoch, logs=None):
        self._before = [weight.numpy() for weight in self._trained.trainable_variables]

    def on_train_batch_end(self, batch, logs=None):
        if self._before is not None:
            self._updates = updates(self._before, self._trained.trainable_variables)
            self._before = None

    def on_epoch_end(self, epoch, logs=None):
        def loss():
            outputs = self._trained(self.inputs, training=False)
            return self._trained.compute_loss(self.inputs, self.targets, outputs)

        health = {**measure(self._trained, loss), "updates": self._updates}
        self.history.append(health)
        for warning in warnings(health):
            log.warning("epoch %d: %s", epoch + 1, warning)


def _by_layer(variables: Sequence[keras.Variable], others: Sequence[Any]) -> dict[str, list[tuple]]:
    layers: dict[str, list[tuple]] = {}
    paths = [variable.path.rsplit("/", 1)[0] for variable in variables]
    names = stable_names(paths)
    for path, variable, partner in zip(paths, variables, others, strict=True):
        layers.setdefault(names[path], []).append((variable, partner))
    return layers


def _norm(tensors: Any) -> float:
    """The norm of all of them together; what has no gradient counts as zero."""
    squares = (
        float(np.sum(np.square(_array(tensor)), dtype=np.float64))
        for tensor in tensors
        if tensor is not None
    )
    return math.sqrt(sum(squares))


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tf.convert_to_tensor(tensor), dtype=np.float64)
