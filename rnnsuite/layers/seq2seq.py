"""A recurrent decoder that attends a memory, and the bridge that begins it."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.core.names import AttentionKind, Cell
from rnnsuite.layers.attention import Attention
from rnnsuite.layers.casting import as_floats
from rnnsuite.layers.dropout import Dropout
from rnnsuite.layers.stack import CELLS

State = dict[str, Any]


@keras.saving.register_keras_serializable("rnnsuite")
class Bridge(keras.layers.Layer):
    """The first states of a decoder from an encoder's summary `[batch, width]`: tanh(v W + b) for
    each.

    Gives a list of states, `[batch, units]` each, for every layer (arXiv 1409.0473, appendix
    A.2.2).

    Args:
        cell: the decoder's recurrent layer.
        units: its width.
        depth: its layers.
    """

    def __init__(self, cell: Cell, units: int, depth: int = 1, **options):
        super().__init__(**options)
        self.cell = cell
        self.units = units
        self.depth = depth
        layer = CELLS[cell](units)
        self.empty = len(layer.state_size) - layer.bridged_states
        self.count = layer.bridged_states
        self.dense = keras.layers.Dense(
            depth * self.count * units, activation="tanh", dtype=self.dtype_policy
        )

    def build(self, shape):
        self.dense.build(shape)

    def call(self, v_BxW):
        parts = ops.split(self.dense(v_BxW), self.depth * self.count, axis=-1)
        empty = [ops.zeros_like(parts[0])] * self.empty
        return [
            [*parts[start : start + self.count], *empty]
            for start in range(0, len(parts), self.count)
        ]

    def get_config(self):
        return {**super().get_config(), "cell": self.cell, "units": self.units, "depth": self.depth}


@keras.saving.register_keras_serializable("rnnsuite")
class AttendingDecoder(keras.layers.Layer):
    """Recurrent layers over `[batch, time, features]` that attend a memory `[batch, positions,
    width]`.

        h_1 = RNN_1(x)              with feeding RNN_1([x; o before]), arXiv 1508.04025, section 3.3
        c   = attention(h_1, memory)
        h_n = RNN_n([h_(n-1); c])   n = 2 .. depth, as in arXiv 1609.08144
        o   = tanh(W [h_depth; c])  arXiv 1508.04025, eq. 5

    A call takes the whole target: every layer runs over all steps by its own fast loop, and
    attention is computed for all steps at once; only feeding needs step after step. It gives o
    `[batch, time, units]` and attention weights `[batch, time, positions]`. `step` does one step,
    outside training, and gives the same.

    Args:
        cell: the recurrent layer.
        units: its width.
        depth: layers.
        attention: the energy.
        attention_units: its width.
        feeding: whether the last o goes into the next step.
        dropout: locked, between layers and before o.
        weight_drop: share of the recurrent weights left out in a training step.

    Raises:
        ValueError: for weight_drop with feeding.
    """

    def __init__(
        self,
        cell: Cell,
        units: int,
        depth: int = 1,
        attention: AttentionKind = "additive",
        attention_units: int = 128,
        feeding: bool = False,
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        **options,
    ):
        super().__init__(**options)
        if feeding and weight_drop:
            raise ValueError("weight_drop goes with whole sequences; with feeding use dropout")
        self.cell = cell
        self.units = units
        self.depth = depth
        self.feeding = feeding
        self.dropout = dropout
        self.weight_drop = weight_drop
        self.recurrent = [
            CELLS[cell](
                units,
                return_sequences=True,
                return_state=True,
                weight_drop=weight_drop,
                dtype=self.dtype_policy,
            )
            for _ in range(depth)
        ]
        self.attention = Attention(attention, attention_units, dtype=self.dtype_policy)
        self.combined = keras.layers.Dense(units, activation="tanh", dtype=self.dtype_policy)
        self.drop = Dropout(dropout, dtype=self.dtype_policy)

    def build(self, x_shape, memory_shape):
        width = x_shape[-1]
        memory = memory_shape[-1]
        for number, layer in enumerate(self.recurrent):
            more = memory if number else self.units * self.feeding
            layer.build((None, None, (self.units if number else width) + more))
        self.attention.build((None, None, self.units), memory_shape)
        self.combined.build((None, None, self.units + memory))

    def call(self, x, memory, mask=None, states=None, training=False):
        x = as_floats(x, self.compute_dtype)
        memory = as_floats(memory, self.compute_dtype)
        states = states or self.zeros(ops.shape(x)[0])
        keys = self.attention.keys(memory)
        drops = [
            self.drop(ops.ones([ops.shape(x)[0], 1, self.units]), training=training)
            for _ in self.recurrent
        ]
        if self.feeding:
            return self._one_by_one(x, memory, keys, mask, states, drops)

        def run(number, x):
            initial = list(states[number])
            return (
                self.recurrent[number](x, initial_state=initial, training=training)[0]
                * drops[number]
            )

        h = run(0, x)
        attended, weights = self.attention(h, memory, keys=keys, mask=mask)
        for number in range(1, self.depth):
            h = run(number, ops.concatenate([h, attended], axis=-1))
        return self.combined(ops.concatenate([h, attended], axis=-1)), weights

    def compute_mask(self, *_, **__):
        return None, None

    def compute_output_shape(self, x_shape, memory_shape):
        return (*x_shape[:2], self.units), (*x_shape[:2], memory_shape[1])

    def begin(self, memory: tf.Tensor, states: list | None = None) -> State:
        """The state before the first step: `layers`, `attended` and, with feeding, `output`."""
        batch = tf.shape(memory)[0]
        state = {
            "layers": states or self.zeros(batch),
            "attended": tf.zeros(tf.shape(memory)[:2], memory.dtype),
        }
        return (
            {**state, "output": tf.zeros([batch, self.units], memory.dtype)}
            if self.feeding
            else state
        )

    def zeros(self, batch: tf.Tensor | int) -> list[list[tf.Tensor]]:
        """First states where nothing else is known."""
        return [
            [ops.zeros([batch, self.units], self.compute_dtype) for _ in layer.state_size]
            for layer in self.recurrent
        ]

    def step(
        self,
        x: tf.Tensor,
        state: State,
        memory: tf.Tensor,
        keys: tf.Tensor,
        mask: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        """One step, outside training.

        Args:
            x: `[batch, features]`.
            state: of the step before; `attended` in it is the sum of the weights so far.
            memory: `[batch, positions, width]`.
            keys: `attention.keys(memory)`.
            mask: of the memory, `[batch, positions]`.

        Returns:
            o `[batch, units]`, weights `[batch, positions]` and the new state.
        """
        return self._step(x, state, memory, keys, mask, [1.0] * self.depth)

    def _step(self, x, state, memory, keys, mask, drops):
        layers = []

        def run(number, x):
            before = tuple(state["layers"][number])
            layers.append(list(self.recurrent[number].step(x, before)))
            return layers[-1][0] * drops[number]

        h = run(0, tf.concat([x, state["output"]], axis=-1) if self.feeding else x)
        attended, weights = self.attention(h[:, None], memory, keys=keys, mask=mask)
        attended = attended[:, 0]
        weights = weights[:, 0]
        for number in range(1, self.depth):
            h = run(number, tf.concat([h, attended], axis=-1))
        output = self.combined(tf.concat([h, attended], axis=-1))
        new = {"layers": layers, "attended": state["attended"] + weights}
        return output, weights, {**new, "output": output} if self.feeding else new

    def _one_by_one(self, x, memory, keys, mask, states, drops):
        count = tf.shape(x)[1]
        drops = [drop[:, 0] for drop in drops]
        arrays = [tf.TensorArray(x.dtype, count) for _ in range(2)]

        def body(place, state, outputs, shares):
            output, weights, state = self._step(x[:, place], state, memory, keys, mask, drops)
            return place + 1, state, outputs.write(place, output), shares.write(place, weights)

        start = (0, self.begin(memory, states), *arrays)
        _, _, *arrays = tf.while_loop(lambda place, *_: place < count, body, start)
        outputs, weights = (tf.transpose(array.stack(), [1, 0, 2]) for array in arrays)
        outputs.set_shape([*x.shape[:2], self.units])
        return outputs, weights

    def get_config(self):
        names = ("cell", "units", "depth", "feeding", "dropout", "weight_drop")
        kinds = {"attention": self.attention.kind, "attention_units": self.attention.units}
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, **kinds}
