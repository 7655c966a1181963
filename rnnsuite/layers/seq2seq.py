"""A recurrent decoder that attends a memory, the bridge that begins it, and both between tokens and logits."""

import functools
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.layers import replica
from rnnsuite.layers.attention import Attention, Kind
from rnnsuite.layers.dropout import Dropout, LockedDropout, TokenDropout
from rnnsuite.layers.stack import CELLS, Cell

State = dict[str, Any]


@keras.saving.register_keras_serializable("rnnsuite")
class Bridge(keras.layers.Layer):
    """What an encoder ends with, `[batch, width]`, to the first states of a decoder: tanh(v W + b) for each of them.

    Gives a list of states, `[batch, units]` each, for every layer (arXiv 1409.0473, appendix A.2.2).
    """

    def __init__(self, cell: Cell, units: int, depth: int = 1, **options):
        super().__init__(**options)
        self.cell, self.units, self.depth = cell, units, depth
        self.count = len(CELLS[cell](units).state_size)
        self.dense = keras.layers.Dense(depth * self.count * units, activation="tanh")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, v_BxW):
        parts = ops.split(self.dense(v_BxW), self.depth * self.count, axis=-1)
        return [list(parts[start : start + self.count]) for start in range(0, len(parts), self.count)]

    def get_config(self):
        return {**super().get_config(), "cell": self.cell, "units": self.units, "depth": self.depth}


@keras.saving.register_keras_serializable("rnnsuite")
class AttendingDecoder(keras.layers.Layer):
    """Recurrent layers over `[batch, time, features]` that attend a memory `[batch, positions, width]`.

        h_1 = RNN_1(x)          with `feeding` RNN_1([x; o before]), Luong et al. (arXiv 1508.04025, section 3.3)
        c   = attention(h_1, memory)
        h_n = RNN_n([h_(n-1); c])          n = 2 .. depth, as in arXiv 1609.08144
        o   = tanh(W [h_depth; c])         arXiv 1508.04025, eq. 5

    A call takes the whole target: every layer runs over all steps by its own fast loop, and
    attention is computed for all steps at once; only `feeding` needs step after step. Gives (o
    `[batch, time, units]`, attention weights `[batch, time, positions]`). mask: of the memory,
    `[batch, positions]`. states: as `Bridge` gives them; zeros where there are none. `step`
    does one step, outside training, and gives the same. dropout: locked, between layers and
    before o. Raises ValueError for weight_drop with feeding.
    """

    def __init__(
        self,
        cell: Cell,
        units: int,
        depth: int = 1,
        attention: Kind = "additive",
        attention_units: int = 128,
        feeding: bool = False,
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        **options,
    ):
        super().__init__(**options)
        if feeding and weight_drop:
            raise ValueError("weight_drop goes with whole sequences; with feeding use dropout")
        self.cell, self.units, self.depth, self.feeding = cell, units, depth, feeding
        self.dropout, self.weight_drop = dropout, weight_drop
        self.recurrent = [
            CELLS[cell](units, return_sequences=True, return_state=True, weight_drop=weight_drop) for _ in range(depth)
        ]
        self.attention = Attention(attention, attention_units)
        self.combined = keras.layers.Dense(units, activation="tanh")
        self.drop = Dropout(dropout)

    def build(self, x_shape, memory_shape):
        width, memory = x_shape[-1], memory_shape[-1]
        for number, layer in enumerate(self.recurrent):
            more = memory if number else self.units * self.feeding
            layer.build((None, None, (self.units if number else width) + more))
        self.attention.build((None, None, self.units), memory_shape)
        self.combined.build((None, None, self.units + memory))

    def call(self, x, memory, mask=None, states=None, training=False):
        states = states or self.zeros(ops.shape(x)[0])
        keys = self.attention.keys(memory)
        drops = [self.drop(ops.ones([ops.shape(x)[0], 1, self.units]), training=training) for _ in self.recurrent]
        if self.feeding:
            return self._one_by_one(x, memory, keys, mask, states, drops)
        h = x
        for number, layer in enumerate(self.recurrent):
            if number:
                h = ops.concatenate([h, context], axis=-1)  # noqa: F821  of the layer before
            h = layer(h, initial_state=list(states[number]), training=training)[0] * drops[number]
            if number == 0:
                context, weights = self.attention(h, memory, keys=keys, mask=mask)
        return self.combined(ops.concatenate([h, context], axis=-1)), weights

    def compute_mask(self, *_, **__):
        return None, None

    def begin(self, memory: tf.Tensor, states: list | None = None) -> State:
        """The state before the first step: `layers`, `attended` `[batch, positions]` and, with feeding, `output`."""
        batch = tf.shape(memory)[0]
        state = {"layers": states or self.zeros(batch), "attended": tf.zeros(tf.shape(memory)[:2], memory.dtype)}
        return {**state, "output": tf.zeros([batch, self.units], memory.dtype)} if self.feeding else state

    def zeros(self, batch: tf.Tensor | int) -> list[list[tf.Tensor]]:
        """First states where nothing else is known."""
        return [[ops.zeros([batch, self.units]) for _ in layer.state_size] for layer in self.recurrent]

    def step(
        self, x: tf.Tensor, state: State, memory: tf.Tensor, keys: tf.Tensor, mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        """One step, x `[batch, features]`: (o `[batch, units]`, weights `[batch, positions]`, new state).

        keys: `attention.keys(memory)`. `attended` in the state is the sum of the weights so far.
        """
        return self._step(x, state, memory, keys, mask, [1.0] * self.depth)

    def _step(self, x, state, memory, keys, mask, drops):
        h, layers = tf.concat([x, state["output"]], axis=-1) if self.feeding else x, []
        for number, layer in enumerate(self.recurrent):
            if number:
                h = tf.concat([h, context], axis=-1)  # noqa: F821  of the layer before
            layers.append(list(layer.step(h, tuple(state["layers"][number]))))
            h = layers[-1][0] * drops[number]
            if number == 0:
                context, weights = self.attention(h[:, None], memory, keys=keys, mask=mask)
                context, weights = context[:, 0], weights[:, 0]
        output = self.combined(tf.concat([h, context], axis=-1))
        new = {"layers": layers, "attended": state["attended"] + weights}
        return output, weights, {**new, "output": output} if self.feeding else new

    def _one_by_one(self, x, memory, keys, mask, states, drops):
        count, drops = tf.shape(x)[1], [drop[:, 0] for drop in drops]
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


@keras.saving.register_keras_serializable("rnnsuite")
class TokenDecoder(keras.layers.Layer):
    """Token ids before each step, `[batch, time]`, over a memory to logits of the token at it: (logits, weights).

    Embedding, `Bridge`, `AttendingDecoder` and a readout to `vocabulary` logits. ids may be
    `[batch, targets, time]`, several of one memory; so are the results then. `call` takes
    the memory `[batch, positions, width]`, its `mask`, and a `summary` `[batch, width]` that the
    first states are made of. tied: the readout's matrix is the embedding's (Press & Wolf, arXiv
    1608.05859). dropout: locked (arXiv 1512.05287), of embeddings, between layers and before
    the readout. token_dropout: share of the tokens before each step that are hidden in training.
    sampling: share of tokens that in training are replaced by what the model
    itself would have drawn there, found in a first pass over the target (scheduled sampling,
    Bengio et al., arXiv 1506.03099, in the parallel form of arXiv 1906.04331). options: of
    `AttendingDecoder`. `begin` and `stepper` make the same model's states and step for `rnnsuite.decoding`.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        cell: Cell,
        units: int,
        depth: int = 1,
        attention: Kind = "additive",
        attention_units: int = 128,
        feeding: bool = False,
        tied: bool = True,
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        sampling: float = 0.0,
        token_dropout: float = 0.0,
        **options,
    ):
        super().__init__(**options)
        self.vocabulary, self.width, self.tied, self.dropout, self.sampling, self.token_dropout = (
            vocabulary, embedding, tied, dropout, sampling, token_dropout,
        )  # fmt: skip
        scale = keras.initializers.RandomNormal(stddev=embedding**-0.5)
        self.embedding = keras.layers.Embedding(vocabulary, embedding, embeddings_initializer=scale)
        self.bridge = Bridge(cell, units, depth)
        self.attending = AttendingDecoder(cell, units, depth, attention, attention_units, feeding, dropout, weight_drop)
        self.drops = [LockedDropout(dropout) for _ in range(2)]
        self.hidden = TokenDropout(token_dropout) if token_dropout else None
        self.readout = keras.layers.Dense(embedding if tied else vocabulary)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, ids_shape, memory_shape, summary_shape):
        self.embedding.build(ids_shape)
        self.bridge.build(summary_shape)
        self.attending.build((*ids_shape, self.width), memory_shape)
        self.readout.build((*ids_shape, self.attending.units))
        if self.tied:
            self.bias = self.add_weight(name="bias", shape=(self.vocabulary,), initializer="zeros")

    def call(self, ids, memory, summary, mask=None, training=False):
        if len(ids.shape) == 3:
            return self._several(ids, memory, summary, mask, training)
        states = self.bridge(summary)
        if training and self.sampling:
            logits, _ = self._all(ids, memory, mask, states, training)
            ids = self._partly_sampled(ids, ops.stop_gradient(logits))
        return self._all(ids, memory, mask, states, training)

    def compute_mask(self, *_, **__):
        return None, None

    def _several(self, ids_BxSxT, memory, summary, mask, training):
        count, time = ops.shape(ids_BxSxT)[1], ops.shape(ids_BxSxT)[2]
        memory, summary, mask = (v if v is None else ops.repeat(v, count, axis=0) for v in (memory, summary, mask))
        found = self(ops.reshape(ids_BxSxT, [-1, time]), memory, summary, mask=mask, training=training)
        return tuple(tf.reshape(v, [-1, count, time, tf.shape(v)[-1]]) for v in found)

    def _all(self, ids, memory, mask, states, training):
        x = self.embedding(ids)
        if self.hidden:
            x = self.hidden(x, training=training)
        x = self.drops[0](x, training=training)
        outputs, weights = self.attending(x, memory, mask=mask, states=states, training=training)
        return self.logits(self.drops[1](outputs, training=training)), weights

    def logits(self, outputs):
        """The attending decoder's outputs `[..., units]` to logits `[..., vocabulary]`."""
        found = self.readout(outputs)
        if not self.tied:
            return found
        return ops.matmul(found, ops.transpose(ops.cast(self.embedding.embeddings, found.dtype))) + self.bias

    def _partly_sampled(self, ids, logits):
        """The same start token, and each later one with the share `sampling` drawn from the logits before it."""
        rows, steps, size = ops.shape(logits)
        uniform = functools.partial(keras.random.uniform, seed=self.seed_generator)
        noise = replica.drawn(lambda rows: uniform((rows, steps, size), 1e-20, 1.0), rows)
        drawn = ops.cast(ops.argmax(logits - ops.log(-ops.log(noise)), axis=-1), ids.dtype)
        before = ops.concatenate([ids[:, :1], drawn[:, :-1]], axis=1)
        chosen = replica.drawn(lambda rows: uniform((rows, steps)), rows) < self.sampling
        return ops.where(ops.logical_and(chosen, ids > 0), before, ids)

    def begin(self, memory: tf.Tensor, summary: tf.Tensor) -> State:
        """The state before the first step."""
        return self.attending.begin(memory, self.bridge(summary))

    def stepper(self, memory: tf.Tensor, mask: tf.Tensor | None = None, beam: int | tf.Tensor = 1):
        """`step(tokens [batch * beam], state) -> (logits, state)`, for `beam` hypotheses of each row of the memory."""
        keys = self.attending.attention.keys(memory)
        memory, keys, mask = (v if v is None else tf.repeat(v, beam, axis=0) for v in (memory, keys, mask))

        def step(tokens, state):
            output, _, state = self.attending.step(self.embedding(tokens), state, memory, keys, mask)
            return self.logits(output), state

        return step

    def get_config(self):
        inner = self.attending.get_config()
        names = ("cell", "units", "depth", "attention", "attention_units", "feeding", "weight_drop")
        own = {name: getattr(self, name) for name in ("vocabulary", "tied", "dropout", "sampling", "token_dropout")}
        return {**super().get_config(), **{name: inner[name] for name in names}, **own, "embedding": self.width}
