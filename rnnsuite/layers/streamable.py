"""What a layer must say of itself to be fed chunk by chunk."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf


class StateSpec(NamedTuple):
    """What a state is.

    Attributes:
        shape: without the batch.
        dtype: of its numbers.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"


class Streamable:
    """A layer that can be fed chunk by chunk, equal to the whole sequence.

    Attributes:
        look_ahead: steps of input after a step that its output needs.
    """

    look_ahead: int = 0

    @property
    def states(self) -> Mapping[str, StateSpec]:
        """What goes from chunk to chunk; zeros before the first."""
        return {}

    def stream(
        self, x: tf.Tensor, states: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The outputs of the next steps.

        Args:
            x: `[batch, time, ...]`, or samples `[batch, n]`.
            states: `[batch, ...]` each, as the chunk before gave them.

        Returns:
            The outputs, and the new states.
        """
        raise NotImplementedError

    def zeros(self, batch: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """The states of so many rows before the first chunk."""
        return {
            name: tf.zeros([batch, *spec.shape], spec.dtype) for name, spec in self.states.items()
        }
