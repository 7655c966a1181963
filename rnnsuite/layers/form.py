"""Which form of a recurrence is wanted: for the graph being traced, or step by step to look at its states."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Literal

Form = Literal["training", "served", "lite"]
States = dict[str, list]
PRECISE = "precise"
"""A `tf.name_scope` of this name holds operations that stay in float32 where the others become int8."""
_states: contextvars.ContextVar[States | None] = contextvars.ContextVar("states", default=None)
_form: contextvars.ContextVar[Form] = contextvars.ContextVar("form", default="training")


@contextlib.contextmanager
def exporting(form: Form) -> Iterator[None]:
    """Everything traced within is for this place.

    training: the fastest kernel of this machine, cuDNN's included. served: stock operations
    that every TensorFlow has, on any device. lite: what LiteRT has a fused operation for,
    which wants a static batch, zero initial states and no padding.
    """
    token = _form.set(form)
    try:
        yield
    finally:
        _form.reset(token)


def current() -> Form:
    return _form.get()


@contextlib.contextmanager
def noting_states() -> Iterator[States]:
    """Within, recurrent layers run step by step, slowly, and note every step's state by the layer's path.

    The noted tensors are those that the result is made of, so that a tape gives their gradients.
    """
    states: States = {}
    token = _states.set(states)
    try:
        yield states
    finally:
        _states.reset(token)


def noted() -> States | None:
    return _states.get()
