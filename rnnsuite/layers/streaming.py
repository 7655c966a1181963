"""A recurrent layer or stack fed piece by piece, its states going in and out."""

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
