"""Layers fed piece by piece, their states going in and out."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.layers.recurrent import Scanned
from rnnsuite.layers.stack import Stack

Streams = dict[str, tf.Tensor]


class Streaming:
    """`step` and `chunk` of a one-directional recurrent layer or `Stack`, equal to the whole sequence.

    States are a dict of `[batch, units]`, named `state_<layer>_<number>`; `zeros` begins a
    stream. Both functions take and give everything by name, so that they are signatures as
    they are: trace them within `exporting("served")` or `exporting("lite")` (`signatures`
    gives functions and specs). Raises ValueError for a layer that looks into the future.
    """

    def __init__(self, layer: keras.layers.Layer):
        self.stack = layer if isinstance(layer, Stack) else None
        self.layers = list(layer.recurrent) if self.stack else [layer]
        for each in self.layers:
            if not isinstance(each, Scanned) or each.go_backwards:
                raise ValueError(f"{each.name} cannot be fed piece by piece: it needs the whole sequence")
            if each._unfit(training=False):
                raise ValueError(f"{each.name} cannot be fed piece by piece with {each._unfit(training=False)}")
            if not each.built:
                raise ValueError(f"{each.name} is not built")

    def zeros(self, batch: int) -> Streams:
        """The states before the first step."""
        return {name: tf.zeros([batch, units], dtype) for name, (units, dtype) in self._states().items()}

    def step(self, x: tf.Tensor, **states: tf.Tensor) -> Streams:
        """One step: x `[batch, features]` to `output` `[batch, width]` and the new states."""
        return self._run(x, states, lambda layer, x, old: ((new := layer.step(x, old))[0], new))

    def chunk(self, x: tf.Tensor, **states: tf.Tensor) -> Streams:
        """Some steps: x `[batch, time, features]` to `output` `[batch, time, width]` and the new states."""
        return self._run(x, states, lambda layer, x, old: layer.sequence(x, old))

    def signatures(self, batch: int | None = None) -> dict[str, tuple]:
        """(function, tensor specs by name) of `step` and of `chunk`."""
        features = self.layers[0].cell.kernel.shape[0]
        states = {name: tf.TensorSpec([batch, units], dtype, name) for name, (units, dtype) in self._states().items()}
        x = {"step": [batch, features], "chunk": [batch, None, features]}
        return {
            name: (getattr(self, name), {"x": tf.TensorSpec(shape, name="x"), **states}) for name, shape in x.items()
        }

    def _states(self) -> dict[str, tuple]:
        return {
            f"state_{depth}_{number}": (units, layer.compute_dtype)
            for depth, layer in enumerate(self.layers)
            for number, units in enumerate(layer.state_size)
        }

    def _run(self, x, states, piece) -> Streams:
        new: Streams = {}

        def through(depth, x):
            names = [name for name in self._states() if name.startswith(f"state_{depth}_")]
            output, after = piece(self.layers[depth], x, tuple(states[name] for name in names))
            new.update(zip(names, after, strict=True))
            return output

        output = self.stack.apply(x, through) if self.stack else through(0, x)
        return {"output": output, **new}


class Chain:
    """Layers one after another, fed piece by piece: `chunk(x, **states)` gives `output` and the new states.

    A part is a recurrent layer or `Stack`, a layer with `states` (`{name: shape without the
    batch}`) and `chunk(x, states) -> (y, new states)`, or any layer that treats every step
    alike. States are named `<part>_<state>`; all of them begin as zeros. Raises ValueError
    for a part that looks into the future.
    """

    def __init__(self, **parts: Any):
        recurrent = (Stack, keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM, keras.layers.Bidirectional)
        self.parts = {name: Streaming(part) if isinstance(part, recurrent) else part for name, part in parts.items()}

    def states(self) -> dict[str, list[int]]:
        """The shape of every state, without the batch."""
        return {
            f"{name}_{state}": list(shape)
            for name, part in self.parts.items()
            for state, shape in _states_of(part).items()
        }

    def zeros(self, batch: int) -> Streams:
        """The states before the first piece."""
        return {name: tf.zeros([batch, *shape]) for name, shape in self.states().items()}

    def chunk(self, x: tf.Tensor, **states: tf.Tensor) -> Streams:
        """The next piece `[batch, time, ...]` to `output` and the new states."""
        new: Streams = {}
        for name, part in self.parts.items():
            old = {state: states[f"{name}_{state}"] for state in _states_of(part)}
            x, after = _piece(part, x, old)
            new.update({f"{name}_{state}": value for state, value in after.items()})
        return {"output": x, **new}


def _states_of(part: Any) -> Mapping[str, list[int]]:
    if isinstance(part, Streaming):
        return {name: [units] for name, (units, _) in part._states().items()}
    return getattr(part, "states", {})


def _piece(part: Any, x: tf.Tensor, states: Streams) -> tuple[tf.Tensor, Streams]:
    if not isinstance(part, Streaming):
        return part.chunk(x, states) if hasattr(part, "chunk") else (part(x), {})
    if x.shape[1] == 1:  # without a loop
        after = part.step(x[:, 0], **states)
        return after.pop("output")[:, None], after
    after = part.chunk(x, **states)
    return after.pop("output"), after
