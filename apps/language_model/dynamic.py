"""Dynamic evaluation: weights follow the text that is scored (Krause et al., arXiv 1709.07432)."""

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Asked
from rnnsuite.core.progress import bar
from rnnsuite.data import batches
from rnnsuite.tasks.language import Network

from .config import ScoreConfig
from .data import examples, load

if TYPE_CHECKING:
    from .whole import Read

MEASURED = 100
"""Batches of train from which the size of gradients is taken."""
ROWS = 16
EPSILON = 0.002
"""Added to the size of gradients, so that weights with hardly any do not jump."""


class Adapting:
    """Reads pieces; after each, weights take a step down its loss, and back to the trained ones.

    The step of a weight is divided by the root mean square of its gradients on train, and its way
    back is in proportion to that (the RMS rule, section 4).

    Args:
        subject: a run.
        settings: dynamic, the learning rate, and dynamic_decay.
    """

    def __init__(self, subject: Asked, settings: ScoreConfig):
        assert subject.trained
        trained = subject.trained()
        self.settings = settings
        self.network = Network(trained.model, settings.temperature)
        self.weights = [weight.value for weight in trained.model.trainable_variables]
        self.first = [tf.identity(weight) for weight in self.weights]
        self.states = self.network.zeros(1)
        self.sizes = self._measured(subject)
        mean = tf.add_n([tf.reduce_sum(size) for size in self.sizes])
        mean /= float(sum(int(tf.size(size)) for size in self.sizes))
        most = 1.0 / settings.dynamic_decay if settings.dynamic_decay else 0.0
        self.pulls = [tf.minimum(size / mean, most) for size in self.sizes]
        spec = tf.TensorSpec([1, None], tf.int32)
        self._step = tf.function(self._read, input_signature=[spec, spec], autograph=False)
        self.carried = {name: tf.Variable(value) for name, value in self.states.items()}

    def reset(self) -> None:
        """Forgets what was read; what was learned stays."""
        for state in self.carried.values():
            state.assign(tf.zeros_like(state))

    def read(self, inputs: np.ndarray, targets: np.ndarray) -> "Read":
        """Reads a piece, then learns from it."""
        from .whole import Read

        losses = self._step(tf.constant(inputs[None]), tf.constant(targets[None]))
        return Read(-losses.numpy()[0], None)

    def _read(self, ids, targets):
        with tf.GradientTape() as tape:
            vectors, after = self.network.read(ids, dict(self.carried))
            losses = self.network.losses(vectors, targets)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.weights)
        for name, state in self.carried.items():
            state.assign(after[name])
        parts = zip(self.weights, self.first, gradients, self.sizes, self.pulls, strict=True)
        for weight, first, gradient, size, pull in parts:
            if gradient is None:
                continue
            step = self.settings.dynamic * tf.convert_to_tensor(gradient) / (size + EPSILON)
            back = self.settings.dynamic_decay * pull * (first - weight)
            weight.assign_add(back - step)
        return losses

    def _measured(self, subject: Asked) -> list[tf.Tensor]:
        """The root mean square of every weight's gradient over some of train."""
        config: Any = subject.config
        data = examples(config.data, subject.fitted, load(config.data, "train"))
        squares = [tf.Variable(tf.zeros_like(weight)) for weight in self.weights]
        states = {name: tf.Variable(value) for name, value in self.network.zeros(ROWS).items()}

        @tf.function(autograph=False)
        def add(ids, targets):
            with tf.GradientTape() as tape:
                vectors, after = self.network.read(ids, dict(states))
                loss = tf.reduce_mean(self.network.losses(vectors, targets))
            for name, state in states.items():
                state.assign(after[name])
            for square, gradient in zip(squares, tape.gradient(loss, self.weights), strict=True):
                if gradient is not None:
                    square.assign_add(tf.square(tf.convert_to_tensor(gradient)))

        count = 0
        windows = batches.contiguous(data, ROWS, self.settings.piece).take(MEASURED)
        for inputs, targets in bar(windows, desc="gradients of train", unit="batch"):
            add(inputs["ids"], targets)
            count += 1
        return [tf.sqrt(square / max(count, 1)) for square in squares]
