"""A decoder between token ids and logits."""

import functools

import keras
import tensorflow as tf
from keras import ops

from rnnsuite.core import context
from rnnsuite.core.names import AttentionKind, Cell
from rnnsuite.layers.dropout import LockedDropout, TokenDropout
from rnnsuite.layers.seq2seq import AttendingDecoder, Bridge, State


@keras.saving.register_keras_serializable("rnnsuite")
class TokenDecoder(keras.layers.Layer):
    """Token ids before each step `[batch, time]` over a memory to (logits of the token at it,
    weights).

    Embedding, `Bridge`, `AttendingDecoder` and a readout to logits. ids may be `[batch, targets,
    time]`, several of one memory; so are the results then. A call takes the memory `[batch,
    positions, width]`, its mask, and a summary `[batch, width]` that the first states are made of.
    `begin` and `stepper` make the same model's states and step for `rnnsuite.decoding`.

    Args:
        vocabulary: tokens.
        embedding: width of their vectors.
        cell, units, depth, attention, attention_units, feeding, weight_drop: see
            `AttendingDecoder`.
        tied: whether the readout's matrix is the embedding's (Press & Wolf, arXiv 1608.05859).
        dropout: locked (arXiv 1512.05287), of embeddings, between layers and before the readout.
        sampling: share of tokens that in training are replaced by what the model itself would have
            drawn there, found in a first pass over the target (scheduled sampling, arXiv
            1506.03099, in the parallel form of arXiv 1906.04331).
        token_dropout: share of the tokens before each step that are hidden in training.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        cell: Cell,
        units: int,
        depth: int = 1,
        attention: AttentionKind = "additive",
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
        self.vocabulary = vocabulary
        self.width = embedding
        self.tied = tied
        self.dropout = dropout
        self.sampling = sampling
        self.token_dropout = token_dropout
        scale = keras.initializers.RandomNormal(stddev=embedding**-0.5)
        self.embedding = keras.layers.Embedding(
            vocabulary, embedding, embeddings_initializer=scale, dtype=self.dtype_policy
        )
        self.bridge = Bridge(cell, units, depth, dtype=self.dtype_policy)
        self.attending = AttendingDecoder(
            cell,
            units,
            depth,
            attention,
            attention_units,
            feeding,
            dropout,
            weight_drop,
            dtype=self.dtype_policy,
        )
        self.drops = [LockedDropout(dropout, dtype=self.dtype_policy) for _ in range(2)]
        self.hidden = (
            TokenDropout(token_dropout, dtype=self.dtype_policy) if token_dropout else None
        )
        self.readout = keras.layers.Dense(
            embedding if tied else vocabulary, dtype=self.dtype_policy
        )
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

    def compute_output_shape(self, ids_shape, memory_shape, summary_shape):
        return (*ids_shape, self.vocabulary), (*ids_shape, memory_shape[1])

    def _several(self, ids_BxSxT, memory, summary, mask, training):
        count = ops.shape(ids_BxSxT)[1]
        time = ops.shape(ids_BxSxT)[2]
        memory, summary, mask = (
            v if v is None else ops.repeat(v, count, axis=0) for v in (memory, summary, mask)
        )
        results = self(
            ops.reshape(ids_BxSxT, [-1, time]), memory, summary, mask=mask, training=training
        )
        return tuple(tf.reshape(v, [-1, count, time, tf.shape(v)[-1]]) for v in results)

    def _all(self, ids, memory, mask, states, training):
        x = self.embedding(ids)
        if self.hidden:
            x = self.hidden(x, training=training)
        x = self.drops[0](x, training=training)
        outputs, weights = self.attending(x, memory, mask=mask, states=states, training=training)
        return self.logits(self.drops[1](outputs, training=training)), weights

    def logits(self, outputs):
        """The attending decoder's outputs `[..., units]` to logits `[..., vocabulary]`."""
        logits = self.readout(outputs)
        if not self.tied:
            return logits
        return (
            ops.matmul(logits, ops.transpose(ops.cast(self.embedding.embeddings, logits.dtype)))
            + self.bias
        )

    def _partly_sampled(self, ids, logits):
        """The same start token, and each later one with the share `sampling` drawn from the logits
        before it.
        """
        rows, steps, size = ops.shape(logits)
        uniform = functools.partial(keras.random.uniform, seed=self.seed_generator)
        noise = context.random_for_batch(
            lambda rows: uniform((rows, steps, size), 1e-20, 1.0), rows
        )
        drawn = ops.cast(ops.argmax(logits - ops.log(-ops.log(noise)), axis=-1), ids.dtype)
        before = ops.concatenate([ids[:, :1], drawn[:, :-1]], axis=1)
        chosen = context.random_for_batch(lambda rows: uniform((rows, steps)), rows) < self.sampling
        return ops.where(ops.logical_and(chosen, ids > 0), before, ids)

    def begin(self, memory: tf.Tensor, summary: tf.Tensor) -> State:
        """The state before the first step."""
        return self.attending.begin(memory, self.bridge(summary))

    def stepper(self, memory: tf.Tensor, mask: tf.Tensor | None = None, beam: int | tf.Tensor = 1):
        """The model as a step for `rnnsuite.decoding`.

        Args:
            memory: `[batch, positions, width]`.
            mask: `[batch, positions]`.
            beam: hypotheses of each row.

        Returns:
            `step(tokens [batch * beam], state) -> (logits, state)`.
        """
        keys = self.attending.attention.keys(memory)
        memory, keys, mask = (
            v if v is None else tf.repeat(v, beam, axis=0) for v in (memory, keys, mask)
        )

        def step(tokens, state):
            output, _, state = self.attending.step(
                self.embedding(tokens), state, memory, keys, mask
            )
            return self.logits(output), state

        return step

    def get_config(self):
        inner = self.attending.get_config()
        names = ("cell", "units", "depth", "attention", "attention_units", "feeding", "weight_drop")
        own = {
            name: getattr(self, name)
            for name in ("vocabulary", "tied", "dropout", "sampling", "token_dropout")
        }
        return {
            **super().get_config(),
            **{name: inner[name] for name in names},
            **own,
            "embedding": self.width,
        }
