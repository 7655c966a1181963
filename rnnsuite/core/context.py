"""Execution context of layers: export target, state recording, and rows of a replica.

What a caller far above tells every layer that it traces, without passing it through each call.
"""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator
from typing import Literal

import tensorflow as tf

Target = Literal["training", "served", "lite", "portable"]
States = dict[str, list]
PRECISE = "precise"
"""A `tf.name_scope` of this name holds operations that stay in float32 when others become int8."""

_target: contextvars.ContextVar[Target] = contextvars.ContextVar("target", default="training")
_states: contextvars.ContextVar[States | None] = contextvars.ContextVar("states", default=None)


@contextlib.contextmanager
def exporting(target: Target) -> Iterator[None]:
    """Traces everything within for one target.

    Args:
        target: "training", the fastest kernel of this machine, cuDNN included; "served", stock
            operations that every TensorFlow has on any device; "lite", what LiteRT has a fused
            operation for, which needs a static batch, zero initial states and no padding;
            "portable", what all of LiteRT's runtimes have, of static shapes, with padding.

    Yields:
        None.
    """
    token = _target.set(target)
    try:
        yield
    finally:
        _target.reset(token)


def current_target() -> Target:
    """The target of the graph that is being traced."""
    return _target.get()


@contextlib.contextmanager
def record_states() -> Iterator[States]:
    """Runs recurrent layers step by step, slowly, and records the state after every step.

    The recorded tensors are those that the result is computed from, so a gradient tape gives their
    gradients.

    Yields:
        A dict that fills with the states of each layer, by the layer's path.
    """
    states: States = {}
    token = _states.set(states)
    try:
        yield states
    finally:
        _states.reset(token)


def recorded_states() -> States | None:
    """The dict of the enclosing `record_states`, or None outside of one."""
    return _states.get()


_parallel: contextvars.ContextVar[int] = contextvars.ContextVar("parallel", default=1)


@contextlib.contextmanager
def in_parallel(parts: int) -> Iterator[None]:
    """Tells layers that so many of them are traced here that will run at the same time."""
    token = _parallel.set(_parallel.get() * parts)
    try:
        yield
    finally:
        _parallel.reset(token)


def parallel() -> int:
    """How many layers run at the same time as the one that is traced, itself included."""
    return 1 if tf.executing_eagerly() else _parallel.get()


@dataclasses.dataclass(frozen=True)
class ReplicaRows:
    """The rows of a batch that one replica computes.

    Args:
        rows: int32 `[n]`, indices into the whole batch. An index beyond the last row is padding:
            it stands for the last row and does not count.
        total: int32 scalar, rows of the whole batch.
    """

    rows: tf.Tensor
    total: tf.Tensor

    def mask(self) -> tf.Tensor:
        """Booleans `[n]`, false at padding."""
        return self.rows < self.total

    def indices(self) -> tf.Tensor:
        """Row indices `[n]` that exist: padding stands for the last row."""
        return tf.minimum(self.rows, self.total - 1)


_replica: contextvars.ContextVar[ReplicaRows | None] = contextvars.ContextVar(
    "replica", default=None
)


@contextlib.contextmanager
def replica(rows: ReplicaRows | None) -> Iterator[None]:
    """Tells layers which rows of a batch their input is; None for the whole batch."""
    token = _replica.set(rows)
    try:
        yield
    finally:
        _replica.reset(token)


def undivided() -> bool:
    """True where layers see the whole batch."""
    return _replica.get() is None


def random_for_batch(draw: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor) -> tf.Tensor:
    """Random numbers that do not depend on how a batch is divided.

    A replica draws for the whole batch and keeps its own rows, so two replicas draw what one would,
    at the price of drawing it all.

    Args:
        draw: `draw(rows)` gives random numbers with this many rows.
        rows: int32 scalar, rows of the input, or a multiple of them where each is repeated.

    Returns:
        What `draw` gives, for the rows of this replica.
    """
    part = _replica.get()
    if part is None:
        return draw(rows)
    repeats = rows // tf.shape(part.rows)[0]
    indices = part.indices()[:, None] * repeats + tf.range(repeats)
    return tf.gather(draw(part.total * repeats), tf.reshape(indices, [-1]))
