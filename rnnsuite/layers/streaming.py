"""Layers fed chunk by chunk, their states going in and out.

A part of a stream declares itself: it is a `Streamable`, which says what states it has and how a
chunk of steps goes through, or a recurrent layer or `Stack`, or one of Keras's layers that treat
every step alike. Anything else is refused by name, because it would answer wrongly at every border
between chunks.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.layers.recurrent import Scanned
from rnnsuite.layers.stack import Stack
from rnnsuite.layers.streamable import StateSpec, Streamable

Tensors = dict[str, tf.Tensor]
RECURRENT = (
    Stack,
    Scanned,
    keras.layers.SimpleRNN,
    keras.layers.GRU,
    keras.layers.LSTM,
    keras.layers.Bidirectional,
)
STEPWISE = (
    keras.layers.Dense,
    keras.layers.Activation,
    keras.layers.Embedding,
    keras.layers.ReLU,
    keras.layers.UnitNormalization,
)
"""Keras layers that treat every step alike, whatever their settings."""


class Streaming(Streamable):
    """A one-directional recurrent layer or `Stack` as a stream, equal to the whole sequence.

    States are named `state_<layer>_<number>`. `step` and `chunk` take and give everything by name,
    so they are signatures as they are: trace them within `exporting("served")` or
    `exporting("lite")`.

    Args:
        layer: built.

    Raises:
        ValueError: for a layer that looks into the future, is not built, or has settings that the
            fast loop does not have.
    """

    def __init__(self, layer: keras.layers.Layer):
        self.stack = layer if isinstance(layer, Stack) else None
        self.layers = list(self.stack.recurrent) if self.stack else [layer]
        for part in self.layers:
            if not isinstance(part, Scanned) or part.go_backwards:
                raise ValueError(
                    f"{part.name} cannot be fed piece by piece: it needs the whole sequence"
                )
            reason = part.unsupported(training=False)
            if reason:
                raise ValueError(f"{part.name} cannot be fed piece by piece with {reason}")
            if not part.built:
                raise ValueError(f"{part.name} is not built")

    @property
    def states(self) -> dict[str, StateSpec]:
        return {
            f"state_{depth}_{number}": StateSpec((units,), layer.compute_dtype)
            for depth, layer in enumerate(self.layers)
            for number, units in enumerate(layer.state_size)
        }

    def step(self, x: tf.Tensor, **states: tf.Tensor) -> Tensors:
        """One step.

        Args:
            x: `[batch, features]`.
            states: of the step before.

        Returns:
            `output` `[batch, width]` and the new states.
        """

        def one_step(layer, x, before):
            after = layer.step(x, before)
            return after[0], after

        return self._run(x, states, one_step)

    def chunk(self, x: tf.Tensor, **states: tf.Tensor) -> Tensors:
        """Some steps.

        Args:
            x: `[batch, time, features]`.
            states: of the step before.

        Returns:
            `output` `[batch, time, width]` and the new states.
        """
        return self._run(x, states, lambda layer, x, before: layer.sequence(x, before))

    def stream(self, x: tf.Tensor, states: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, Tensors]:
        if x.shape[1] == 1:  # without a loop
            after = self.step(x[:, 0], **states)
            return after.pop("output")[:, None], after
        after = self.chunk(x, **states)
        return after.pop("output"), after

    def signatures(self, batch: int | None = None) -> dict[str, tuple]:
        """(function, tensor specs by name) of `step` and of `chunk`. batch: None for any."""
        features = self.layers[0].cell.kernel.shape[0]
        states = {
            name: tf.TensorSpec([batch, *spec.shape], spec.dtype, name)
            for name, spec in self.states.items()
        }
        shapes = {"step": [batch, features], "chunk": [batch, None, features]}
        return {
            name: (getattr(self, name), {"x": tf.TensorSpec(shape, name="x"), **states})
            for name, shape in shapes.items()
        }

    def _run(self, x, states, piece) -> Tensors:
        new: Tensors = {}

        def through(depth, x):
            names = [name for name in self.states if name.startswith(f"state_{depth}_")]
            before = tuple(states[name] for name in names)
            output, after = piece(self.layers[depth], x, before)
            new.update(zip(names, after, strict=True))
            return output

        output = self.stack.apply(x, through) if self.stack else through(0, x)
        return {"output": output, **new}


class _Stepwise(Streamable):
    """A layer that treats every step alike."""

    def __init__(self, layer: keras.layers.Layer):
        self.layer = layer

    def stream(self, x, states):
        return self.layer(x), {}


class Chain(Streamable):
    """Layers one after another, fed chunk by chunk; see the module for what a part may be.

    States are named `<part>_<state>`; all of them begin as zeros.

    Args:
        parts: by name, in the order of running.

    Raises:
        ValueError: naming a part that has not declared how it is fed, or looks into the future.
    """

    def __init__(self, **parts: Any):
        self.parts = {name: _declared(name, part) for name, part in parts.items()}

        self.look_ahead = sum(part.look_ahead for part in self.parts.values())

    @property
    def states(self) -> dict[str, StateSpec]:
        """Every state's shape without the batch, and type."""
        return {
            f"{name}_{state}": spec
            for name, part in self.parts.items()
            for state, spec in part.states.items()
        }

    def chunk(self, x: tf.Tensor, **states: tf.Tensor) -> Tensors:
        """The next chunk.

        Args:
            x: `[batch, time, ...]`.
            states: of the chunk before.

        Returns:
            `output` and the new states.
        """
        output, new = self.stream(x, states)
        return {"output": output, **new}

    def stream(self, x: tf.Tensor, states: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, Tensors]:
        new: Tensors = {}
        for name in self.parts:
            x, after = self._part(name, x, states)
            new |= after
        return x, new

    def _part(
        self, name: str, x: tf.Tensor, states: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, Tensors]:
        """The outputs of one part, and its new states by their names here."""
        part = self.parts[name]
        before = {state: states[f"{name}_{state}"] for state in part.states}
        output, after = part.stream(x, before)
        return output, {f"{name}_{state}": value for state, value in after.items()}


class Parallel(Chain):
    """Layers side by side, each fed the same chunks; their outputs stand behind one another on the
    last axis.

    Args:
        parts: by name; outputs are in their order. None looks further ahead than another.

    Raises:
        ValueError: as `Chain` does, and for parts that look ahead differently.
    """

    def __init__(self, **parts: Any):
        super().__init__(**parts)
        ahead = {part.look_ahead for part in self.parts.values()}
        if len(ahead) != 1:
            raise ValueError(f"parts look {sorted(ahead)} steps ahead, and must look equally far")
        (self.look_ahead,) = ahead

    def stream(self, x: tf.Tensor, states: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, Tensors]:
        outputs = []
        new: Tensors = {}
        for name in self.parts:
            output, after = self._part(name, x, states)
            outputs.append(output)
            new |= after
        return tf.concat(outputs, axis=-1), new


def _declared(name: str, part: Any) -> Streamable:
    if isinstance(part, Streamable):
        return part
    if isinstance(part, RECURRENT):
        return Streaming(part)
    is_per_step_shape = isinstance(part, keras.layers.Reshape) and part.target_shape[0] == -1
    if isinstance(part, STEPWISE) or is_per_step_shape:
        return _Stepwise(part)
    raise ValueError(
        f"{name}: {type(part).__name__} does not declare how it is fed chunk by chunk. "
        "Make it an rnnsuite.layers.Streamable, or take it out of the chain."
    )
