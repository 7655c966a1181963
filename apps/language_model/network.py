"""The trained network as a step over tokens: what decoding, scoring and devices are built on."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Network:
    """A language model outside training.

    Args:
        model: as `apps.language_model.model.build` makes it.
    """

    model: keras.Model

    def _layer(self, name: str) -> Any:
        return self.model.get_layer(name)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """The shape, without the batch, of every state, by name."""
        return self._layer("recurrent").states

    def zeros(self, batch: tf.Tensor | int) -> Tensors:
        """The states before anything has been read."""
        dtype = self._layer("recurrent").compute_dtype
        return {name: tf.zeros([batch, *shape], dtype) for name, shape in self.states.items()}

    def read(
        self, ids: tf.Tensor, states: Tensors, mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, Tensors]:
        """Reads tokens.

        Args:
            ids: `[batch, time]`.
            states: before them.
            mask: booleans `[batch, time]`, false at padding.

        Returns:
            Vectors `[batch, time, width]` that predict the token after each, and the states.
        """
        x = self._layer("tokens")(ids)
        y, after = self._layer("recurrent")(x, mask=mask, states=states)
        return self._projected(y), after

    def step(self, token: tf.Tensor, states: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Reads one token `[batch]`.

        Returns:
            The logarithm (nats) of every next token's probability `[batch, vocabulary]`, and the
            states.
        """
        stack = self._layer("recurrent")
        after: Tensors = {}

        def through(depth, x):
            own = [name for name in self.states if name.startswith(f"state_{depth}_")]
            new = stack.recurrent[depth].step(x, tuple(states[name] for name in own))
            after.update(zip(own, new, strict=True))
            return new[0]

        y = stack.apply(self._layer("tokens")(token), through)
        return self.log_probabilities(self._projected(y)), after

    def losses(self, vectors: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Minus the logarithm of each target's probability `[batch, time]` (nats)."""
        return self._layer("tokens")(vectors, targets=targets)

    def log_probabilities(self, vectors: tf.Tensor) -> tf.Tensor:
        """That of every token: `[batch, width]` to `[batch, vocabulary]` (nats)."""
        return self._layer("tokens").log_probabilities(vectors)

    def _projected(self, y: tf.Tensor) -> tf.Tensor:
        names = {layer.name for layer in self.model.layers}
        return self._layer("projection")(y) if "projection" in names else y
