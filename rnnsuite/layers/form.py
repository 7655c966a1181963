"""Which form of a recurrence the graph being traced is for."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Literal

Form = Literal["training", "served", "lite"]
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
