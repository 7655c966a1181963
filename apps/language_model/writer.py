"""Text that goes on, in the graph: what comes after a text, drawn, searched, or step by step."""

from typing import NamedTuple

import tensorflow as tf

from rnnsuite import decoding
from rnnsuite.decoding.step import NEGATIVE_INFINITY, Decoded
from rnnsuite.inputs.subword import END, PADDING
from rnnsuite.tasks.language import Network, Tensors

from .config import DecodeConfig
from .data import Fitted, in_order, shifted
from .device import banned

MOST_TOKENS = 10_000
"""Tokens that one request may ask for."""


class Prefix(NamedTuple):
    """Texts that have been read but for their last token.

    Args:
        ids, mask: `[batch, time]`, the tokens, and false at padding.
        last: `[batch]`, the last token of each; an end of an empty text.
        states: before the last token.
        log_probability: `[batch]`, of the texts (nats).
    """

    ids: tf.Tensor
    mask: tf.Tensor
    last: tf.Tensor
    states: Tensors
    log_probability: tf.Tensor


class Writer:
    """A trained model's continuations of texts `[batch]`.

    Args:
        network: the trained network.
        fitted: what was fitted on train.
        decode: which tokens never come.
    """

    def __init__(self, network: Network, fitted: Fitted, decode: DecodeConfig):
        self.network = network
        self.fitted = fitted
        self.vocabulary = fitted.vocabulary()
        self.size = len(self.vocabulary.pieces)
        never = banned(decode)
        self.banned = tf.constant([number in never for number in range(self.size)])

    def greedy(self, text, max_length):
        """The most probable token after the other."""
        prefix = self._prefix(text)
        length = _checked_length(max_length)
        decoded = decoding.greedy(self._allowed_step, prefix.states, prefix.last, END, length)
        return self._answer(decoded, prefix)

    def generate(self, text, temperature, top_k, top_p, max_length, seed, stop):
        """Drawn tokens; see `rnnsuite.decoding.sample`. stop: texts to end at, a line each."""
        _check_sampling(temperature, top_k, top_p)
        prefix = self._prefix(text)
        stops = tf.strings.split(stop, "\n")
        decoded = decoding.sample(
            self._allowed_step,
            prefix.states,
            prefix.last,
            END,
            _checked_length(max_length),
            decoding.text_seeds(prefix.ids, prefix.mask, seed),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            is_stopped=lambda ids, position: self._has_stop(ids, stops),
        )
        answer = self._answer(decoded, prefix)
        return {**answer, "text": _before_stop(answer["text"], stops)}

    def search(self, text, beam, length_penalty, max_length):
        """The `beam` best continuations `[batch, beam]`, by beam search."""
        beam = self._checked_count("beam", beam)
        prefix = self._prefix(text)
        decoded = decoding.beam_search(
            self._allowed_step,
            prefix.states,
            prefix.last,
            END,
            beam,
            _checked_length(max_length),
            length_penalty=length_penalty,
        )
        shape = tf.shape(decoded.ids)
        texts = self._text(tf.reshape(decoded.ids, [-1, shape[2]]))
        return {"text": tf.reshape(texts, shape[:2]), "score": decoded.scores}

    def next(self, text, count):
        """The `count` most probable next tokens, and their probabilities `[batch, count]`."""
        count = self._checked_count("count", count)
        prefix = self._prefix(text)
        logs, _ = self.network.step(prefix.last, prefix.states)
        best, tokens = tf.math.top_k(logs, count)
        return {"tokens": self.vocabulary.tokens(tokens), "probabilities": tf.exp(best)}

    def begin(self, text, seed):
        """What `proceed` goes on from: the states behind a text."""
        prefix = self._prefix(text)
        return {
            "token": prefix.last,
            "position": tf.zeros_like(prefix.last),
            "draw": decoding.text_seeds(prefix.ids, prefix.mask, seed),
            **prefix.states,
        }

    def proceed(self, token, position, draw, temperature, top_k, top_p, **states):
        """One more token: the `text` that it adds, and the states."""
        _check_sampling(temperature, top_k, top_p)
        logs, after = self._allowed_step(token, states)
        uniform = decoding.uniform(draw, position)
        token = decoding.draw(logs, uniform, temperature, top_k, top_p)
        is_last = token == END
        return {
            "text": tf.where(is_last, "", self.vocabulary.added(token)),
            "is_last": is_last,
            "token": token,
            "position": position + 1,
            "draw": draw,
            **after,
        }

    def _prefix(self, text) -> Prefix:
        before, targets = shifted(in_order(self.vocabulary(text), self.fitted.direction))
        rest = before[:, :-1]
        # A batch of empty texts has one column of padding.
        ids = tf.pad(rest.to_tensor(), [[0, 0], [0, tf.cast(before.nrows() > 0, tf.int32)]])
        mask = tf.sequence_mask(rest.row_lengths(), tf.shape(ids)[1])
        vectors, states = self.network.read(ids, self.network.zeros(before.nrows()), mask)
        own = targets[:, :-1].to_tensor(shape=[None, None])
        own = tf.pad(own, [[0, 0], [0, tf.shape(ids)[1] - tf.shape(own)[1]]])
        logs = tf.where(mask, -self.network.losses(vectors, own), 0.0)
        last = before[:, -1:].flat_values
        return Prefix(own, mask, last, states, tf.reduce_sum(logs, axis=1))

    def _allowed_step(self, token, states: Tensors):
        """A step whose tokens can all be shown: no padding, and no unknown word unless wanted."""
        logs, after = self.network.step(token, states)
        return tf.where(self.banned, NEGATIVE_INFINITY, logs), after

    def _answer(self, decoded: Decoded, prefix: Prefix) -> Tensors:
        return {
            "text": self._text(decoded.ids),
            "score": decoded.scores,
            "log_probability": prefix.log_probability,
            "tokens": tf.reduce_sum(tf.cast(prefix.mask, tf.int32), axis=1),
        }

    def _text(self, ids):
        """Texts of ids `[batch, length]`, which an end closes."""
        ids = tf.where(ids == END, PADDING, ids)
        if self.fitted.direction == "backward":
            lengths = tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1)
            ids = tf.reverse_sequence(ids, lengths, seq_axis=1)
        return self.vocabulary.text(ids)

    def _has_stop(self, ids, stops):
        texts = self._text(ids)
        return tf.strings.length(_before_stop(texts, stops)) < tf.strings.length(texts)

    def _checked_count(self, name: str, count: tf.Tensor) -> tf.Tensor:
        message = f"{name} must be from 1 to {self.size}, the size of the vocabulary"
        check = tf.debugging.Assert((count > 0) & (count <= self.size), [message, count])
        with tf.control_dependencies([check]):
            return tf.identity(count)


def _before_stop(texts: tf.Tensor, stops: tf.Tensor) -> tf.Tensor:
    """Texts `[batch]` up to the first of the stops `[n]` in them."""

    def cut(texts, stop):
        # No stop is a separator that no text has.
        parts = tf.strings.split(texts, tf.where(stop == "", "\0", stop))
        return parts[:, :1].flat_values

    return tf.foldl(cut, stops, texts)


def _checked_length(length: tf.Tensor) -> tf.Tensor:
    message = f"max_length must be from 0 to {MOST_TOKENS}"
    check = tf.debugging.Assert((length >= 0) & (length <= MOST_TOKENS), [message, length])
    with tf.control_dependencies([check]):
        return tf.identity(length)


def _check_sampling(temperature: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> None:
    """Fails where no token could be drawn."""
    tf.debugging.Assert(temperature >= 0, ["temperature must be a number from 0", temperature])
    tf.debugging.Assert(top_k >= 0, ["top_k must be from 0", top_k])
    tf.debugging.Assert((top_p > 0) & (top_p <= 1), ["top_p must be over 0, to 1", top_p])
