"""From a memory to sentences, in the graph: the answers that every application with a decoder gives."""

import dataclasses
from typing import Any

import tensorflow as tf

from rnnsuite import decoding
from rnnsuite.decoding import Decoded
from rnnsuite.inputs.subword import END, START, Subwords
from rnnsuite.layers import TokenDecoder

Answer = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Generator:
    """Sentences of at most `most` subwords by a decoder over what an encoder gives.

    encoded: `memory` `[batch, positions, width]`, its `mask` (or None) and `summary`. `text` are
    strings; `score` is log P (nats) over the length penalty, for `greedy` and `sample` log P itself.
    """

    decoder: TokenDecoder
    subwords: Subwords
    most: int

    def greedy(self, encoded: Any) -> Decoded:
        step, state, start = self._begun(encoded)
        return decoding.greedy(step, state, start, END, self.most)

    def sample(self, encoded: Any, seed: tf.Tensor, **settings: Any) -> Decoded:
        """settings: temperature, top_k and top_p, as `decoding.sample` takes them."""
        step, state, start = self._begun(encoded)
        return decoding.sample(step, state, start, END, self.most, seed, **settings)

    def search(self, encoded: Any, beam: int | tf.Tensor, **penalties: Any) -> Decoded:
        """The `beam` best, `[batch, beam]`. Raises ValueError, or for a tensor InvalidArgumentError when it runs,
        for a beam under 1 or over the vocabulary.

        penalties: length_penalty and coverage_penalty, as `decoding.beam_search` takes them.
        """
        beam = self._checked(beam)
        step, state, start = self._begun(encoded, beam)
        mask = encoded.get("mask")
        padding = None if mask is None else tf.repeat(1.0 - tf.cast(mask, tf.float32), beam, axis=0)

        def attended(state):
            return state["attended"] if padding is None else state["attended"] + padding

        return decoding.beam_search(step, state, start, END, beam, self.most, attended=attended, **penalties)

    def weights(self, encoded: Any, ids: tf.Tensor) -> tf.Tensor:
        """Attention `[batch, length, positions]` of the tokens `ids` `[batch, length]` as they are written."""
        before = tf.concat([tf.fill([tf.shape(ids)[0], 1], START), ids[:, :-1]], axis=1)
        return self.decoder(before, encoded["memory"], encoded["summary"], mask=encoded.get("mask"), training=False)[1]

    def text(self, decoded: Decoded) -> Answer:
        """`text` and `score`, one a row, or one for each of several hypotheses."""
        shape = tf.shape(decoded.ids)
        texts = self.subwords.text(tf.reshape(decoded.ids, [-1, shape[-1]]))
        return {"text": tf.reshape(texts, shape[:-1]), "score": decoded.scores}

    def begin(self, encoded: Any) -> Answer:
        """What `write` goes on from, by name, for devices, where a program makes the loop."""
        memory, attending = encoded["memory"], self.decoder.attending
        state = self.decoder.begin(memory, encoded["summary"])
        return {"memory": memory, "keys": attending.attention.keys(memory), **_named(state)}

    def write(self, token: tf.Tensor, memory: tf.Tensor, keys: tf.Tensor, **state: tf.Tensor) -> Answer:
        """One step, token `[batch]`: `logits`, `weights` over the memory, and the new state."""
        attending, attended = self.decoder.attending, {"attended": tf.zeros(tf.shape(memory)[:2])}
        before = {**self._nested(state), **attended}
        output, weights, after = attending.step(self.decoder.embedding(token), before, memory, keys)
        return {"logits": self.decoder.logits(output), "weights": weights, **_named(after)}

    def _nested(self, state: Answer) -> dict[str, Any]:
        layers = self.decoder.attending.zeros(1)
        flat = [state[f"state_{number}"] for number in range(len(tf.nest.flatten(layers)))]
        return {**state, "layers": tf.nest.pack_sequence_as(layers, flat)}

    def _checked(self, beam):
        size = len(self.subwords.pieces)
        told = f"beam must be from 1 to {size}, the size of the vocabulary"
        if not tf.is_tensor(beam):
            if not 1 <= beam <= size:
                raise ValueError(f"{told}, not {beam}")
            return beam
        with tf.control_dependencies([tf.debugging.Assert((beam >= 1) & (beam <= size), [told, beam])]):
            return tf.identity(beam)

    def _begun(self, encoded, beam=1):
        memory, mask = encoded["memory"], encoded.get("mask")
        step = self.decoder.stepper(memory, mask, beam)
        state = self.decoder.begin(memory, encoded["summary"])
        return step, state, tf.fill([tf.shape(memory)[0]], START)


def _named(state: Any) -> Answer:
    """A decoder's state under names of its own: `state_0` ..., and `output` where it is fed back."""
    layers = {f"state_{number}": v for number, v in enumerate(tf.nest.flatten(state["layers"]))}
    return {**layers, **({"output": state["output"]} if "output" in state else {})}
