"""A trained language model as a step over tokens: what decoding, scoring and devices are built on,
also those of other applications.
"""

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.app import Start
from rnnsuite.core.errors import UserError
from rnnsuite.core.weights import copy_weights
from rnnsuite.inputs.subword import Subwords
from rnnsuite.layers import Stack, TokenTable

Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Network:
    """A language model outside training.

    Args:
        model: with the layers tokens, recurrent and, where widths differ, projection.
        temperature: by which scores are divided before they are probabilities.
    """

    model: keras.Model
    temperature: float = 1.0

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
        return self._layer("tokens")(vectors, targets=targets, temperature=self.temperature)

    def log_probabilities(self, vectors: tf.Tensor) -> tf.Tensor:
        """That of every token: `[batch, width]` to `[batch, vocabulary]` (nats)."""
        return self._layer("tokens").log_probabilities(vectors, self.temperature)

    def _projected(self, y: tf.Tensor) -> tf.Tensor:
        names = {layer.name for layer in self.model.layers}
        return self._layer("projection")(y) if "projection" in names else y


def of_start(start: Start, origin: str) -> Network:
    """A forward language model out of a run or an export of the application of that name.

    Args:
        start: its configuration and weights.
        origin: where they are from, for errors.

    Returns:
        The network.

    Raises:
        UserError: where it is no such model.
    """
    if start.app != "language_model" or start.fitted.get("direction") != "forward":
        raise UserError(f"{origin} is no forward language model, but of {start.app}.")
    try:
        model = _built(start.config["model"], start.weights)
        copy_weights(model, start.weights)
    except (KeyError, ValueError) as error:
        raise UserError(f"{origin} is no language model that can be read ({error}).") from error
    return Network(model, start.config.get("score", {}).get("temperature", 1.0))


def _built(config: Mapping[str, Any], weights: Mapping[str, Any]) -> keras.Model:
    """The layers that read tokens and predict them, as the configuration has them."""
    if config["softmax"] == "adaptive":
        raise ValueError("an adaptive softmax is not read here")
    width = config["embedding"]
    table = TokenTable(len(weights["tokens/0/table_0"]), width, name="tokens")
    options = {name: config[name] for name in ("residual", "layer_norm", "zoneout")}
    stack = Stack(config["cell"], config["units"], config["depth"], name="recurrent", **options)
    ids = keras.Input([None], dtype="int32", name="ids")
    h = stack(table(ids))
    if config["units"] != width:
        h = keras.layers.Dense(width, name="projection")(h)
    return keras.Model(ids, table(h, targets=ids))


def pieces_of(fitted: Mapping[str, Any]) -> tuple[str, ...]:
    """The tokens of a language model in the order of their numbers, of what it was fitted to."""
    if fitted["subwords"]:
        return tuple(Subwords(base64.b64decode(fitted["subwords"])).pieces)
    return tuple(fitted["tokens"])
