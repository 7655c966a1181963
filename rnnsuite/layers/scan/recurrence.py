"""What the loop asks of a recurrence."""

from typing import Protocol

import tensorflow as tf

Tensors = tuple[tf.Tensor, ...]


class Recurrence(Protocol):
    """One recurrence: its step, and how a gradient passes back through it.

    A recurrence is a frozen value: two that are equal share their compiled loops. Shapes are
    `[batch, units]` for a state and `[batch, gates * units]` for what the input contributes to a
    step; `[time, batch, ...]` where a whole sequence is meant.

    Attributes:
        states: how many it has.
    """

    states: int

    def project(self, x_TxBxD: tf.Tensor, weights: Tensors) -> tf.Tensor:
        """What the inputs contribute to every step; differentiated by TensorFlow."""

    def recurrent(self, weights: Tensors) -> Tensors:
        """The weights that the steps themselves use."""

    def step(self, a: tf.Tensor, states: Tensors, weights: Tensors) -> tuple[Tensors, Tensors]:
        """One step: (new states, what `local_derivatives` needs). `weights`: the recurrent ones."""

    def local_derivatives(self, saved: Tensors, previous: Tensors, weights: Tensors) -> Tensors:
        """Everything of the backward step that needs no gradient, for all steps at once.

        Args:
            saved: what `step` saved, `[time, batch, ...]`.
            previous: the states that each step began with, `[time, batch, ...]`.
            weights: the recurrent ones.

        Returns:
            What `step_backward` takes, `[time, batch, ...]`.
        """

    def step_backward(
        self, local_derivatives: Tensors, d_states: Tensors, weights: Tensors
    ) -> tuple[Tensors, Tensors]:
        """One step back.

        Args:
            local_derivatives: of this step.
            d_states: gradients of the states after it.
            weights: the recurrent ones.

        Returns:
            Gradients to keep (the first of them the step's), and gradients of the states before.
        """

    def weight_gradients(
        self, steps: Tensors, saved: Tensors, previous: Tensors
    ) -> tuple[tf.Tensor, Tensors]:
        """The gradients of weights.

        Args:
            steps: the gradients that `step_backward` kept, of all steps.
            saved: what `step` saved.
            previous: the states that each step began with.

        Returns:
            The gradient of what `project` gave, and of the recurrent weights.
        """
