"""From a memory to sentences, in the graph: what every application with a decoder answers."""

import dataclasses
from typing import Any

import tensorflow as tf

from rnnsuite import decoding
from rnnsuite.core.context import current_target
from rnnsuite.decoding.step import Decoded
from rnnsuite.inputs.subword import END, START, Subwords
from rnnsuite.layers import TokenDecoder

Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Generator:
    """Sentences by a decoder over an encoder's output.

    `encoded` is that output: `memory` `[batch, positions, width]`, its `mask` (or None), `summary`.

    Args:
        decoder: the trained decoder.
        subwords: its vocabulary.
        max_length: subwords of a sentence at most.
    """

    decoder: TokenDecoder
    subwords: Subwords
    max_length: int

    def greedy(self, encoded: Any) -> Decoded:
        """The most probable subword at every step; `scores` are log P in nats."""
        step, state, start = self._initial(encoded)
        return decoding.greedy(step, state, start, END, self.max_length)

    def sample(self, encoded: Any, seed: tf.Tensor, **settings: Any) -> Decoded:
        """Drawn subwords. settings: temperature, top_k and top_p of `decoding.sample`."""
        step, state, start = self._initial(encoded)
        return decoding.sample(step, state, start, END, self.max_length, seed, **settings)

    def search(self, encoded: Any, beam: int | tf.Tensor, **penalties: Any) -> Decoded:
        """The `beam` best sentences of each row, by beam search.

        Args:
            encoded: the encoder's output.
            beam: hypotheses of each row, from 1 to the size of the vocabulary.
            penalties: length_penalty and coverage_penalty of `decoding.beam_search`.

        Returns:
            `Decoded` with `[batch, beam]` sentences; `scores` are log P over the length penalty.

        Raises:
            ValueError: for a beam out of range; InvalidArgumentError at run time for a tensor.
        """
        beam = self._checked_beam(beam)
        step, state, start = self._initial(encoded, beam)
        mask = encoded.get("mask")
        padding = None if mask is None else tf.repeat(1.0 - tf.cast(mask, tf.float32), beam, axis=0)

        def coverage(state):
            return state["attended"] if padding is None else state["attended"] + padding

        return decoding.beam_search(
            step, state, start, END, beam, self.max_length, coverage=coverage, **penalties
        )

    def weights(self, encoded: Any, ids: tf.Tensor) -> tf.Tensor:
        """Attention `[batch, length, positions]` at each of the tokens `ids` `[batch, length]`."""
        before = tf.concat([tf.fill([tf.shape(ids)[0], 1], START), ids[:, :-1]], axis=1)
        memory = encoded["memory"]
        mask = encoded.get("mask")
        _, weights = self.decoder(before, memory, encoded["summary"], mask=mask, training=False)
        return weights

    def text(self, decoded: Decoded) -> Tensors:
        """`text` and `score` `[batch, ...]` of decoded ids `[batch, ..., length]`."""
        shape = tf.shape(decoded.ids)
        texts = self.subwords.text(tf.reshape(decoded.ids, [-1, shape[-1]]))
        return {"text": tf.reshape(texts, shape[:-1]), "score": decoded.scores}

    def initial_state(self, encoded: Any) -> Tensors:
        """Initial decoder state for an external decode loop, as named tensors.

        Exported for static shapes, `kept` `[batch, positions]` is 1 where the memory is no padding.
        """
        memory = encoded["memory"]
        state = self.decoder.begin(memory, encoded["summary"])
        keys = self.decoder.attending.attention.keys(memory)
        named = {"memory": memory, "keys": keys, **_flat_state(state)}
        mask = encoded.get("mask")
        if current_target() == "portable" and mask is not None:
            named["kept"] = tf.cast(mask, tf.float32)
        return named

    def step(
        self,
        token: tf.Tensor,
        memory: tf.Tensor,
        keys: tf.Tensor,
        kept: tf.Tensor | None = None,
        **state: tf.Tensor,
    ) -> Tensors:
        """One step of an external decode loop.

        Args:
            token: int32 `[batch]`, the token before.
            memory, keys, kept, state: as `initial_state` gives them, the state of the last step.

        Returns:
            `logits` `[batch, vocabulary]`, `weights` `[batch, positions]` and the new state.
        """
        attending = self.decoder.attending
        before = {**self._nested_state(state), "attended": tf.zeros(tf.shape(memory)[:2])}
        mask = None if kept is None else kept > 0
        x = self.decoder.embedding(token)
        output, weights, after = attending.step(x, before, memory, keys, mask)
        return {"logits": self.decoder.logits(output), "weights": weights, **_flat_state(after)}

    def _nested_state(self, state: Tensors) -> dict[str, Any]:
        layers = self.decoder.attending.zeros(1)
        flat = [state[f"state_{number}"] for number in range(len(tf.nest.flatten(layers)))]
        return {**state, "layers": tf.nest.pack_sequence_as(layers, flat)}

    def _checked_beam(self, beam: int | tf.Tensor) -> int | tf.Tensor:
        size = len(self.subwords.pieces)
        message = f"beam must be from 1 to {size}, the size of the vocabulary"
        if not tf.is_tensor(beam):
            if not 1 <= beam <= size:
                raise ValueError(f"{message}, not {beam}")
            return beam
        check = tf.debugging.Assert((beam >= 1) & (beam <= size), [message, beam])
        with tf.control_dependencies([check]):
            return tf.identity(beam)

    def _initial(self, encoded: Any, beam: int | tf.Tensor = 1) -> tuple:
        """(step, state, start tokens) for `beam` hypotheses of each row."""
        memory = encoded["memory"]
        step = self.decoder.stepper(memory, encoded.get("mask"), beam)
        state = self.decoder.begin(memory, encoded["summary"])
        return step, state, tf.fill([tf.shape(memory)[0]], START)


def _flat_state(state: Any) -> Tensors:
    """A decoder's state as named tensors: `state_0` ..., and `output` where it is fed back."""
    flat = tf.nest.flatten(state["layers"])
    named = {f"state_{number}": value for number, value in enumerate(flat)}
    if "output" in state:
        named["output"] = state["output"]
    return named
