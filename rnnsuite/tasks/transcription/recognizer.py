"""Recordings to texts, words and their times, as operations of a graph."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rnnsuite.core.context import current_target
from rnnsuite.device import wave
from rnnsuite.inputs import waveform
from rnnsuite.tasks.sections import TranscribeConfig
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.decoder import StoredAs, transcription
from rnnsuite.tasks.transcription.pieces import grouped, in_pieces, joined

Tensors = dict[str, Any]


TIMING = "timing_logits"
"""The head by which words are timed, where there is one: its symbols last as long as they sound."""


class Recognizer:
    """The graphs behind an application's signatures, each of which is traced once for all of them.

    Args:
        model: from `samples` `[batch, steps * hop]` and `steps` `[batch]` to logits `[batch, steps,
            symbols]` by name.
        alphabet: the symbols.
        hop: samples of a step.
        settings: how text is searched for.
        timed: the head by which words are timed. One that reads in one direction names symbols near
            where they are said; one that hears everything may name them anywhere.
        stored_as: see `rnnsuite.tasks.transcription.decoder.transcription`.

    Raises:
        UserError: for settings that do not fit the alphabet.
    """

    def __init__(
        self,
        model: keras.Model,
        alphabet: Alphabet,
        hop: int,
        settings: TranscribeConfig,
        timed: str = "logits",
        stored_as: StoredAs = "float32",
    ):
        self.model = model
        self.hop = hop
        self.settings = settings
        self.timed = timed
        self.is_framed = timed == TIMING
        self.decoder = transcription(alphabet, settings, stored_as)
        self.seconds = hop / wave.RATE
        self.most = int(settings.piece / self.seconds)
        pieces = (tf.TensorSpec([None, None]), tf.TensorSpec([None], tf.int32))
        self.network = _graph(self._network, *pieces)
        self.search = _graph(self._search, *pieces)
        self.sounds = _graph(self._sounds, tf.TensorSpec([None], tf.string))
        self.texts = _graph(self._texts, _spec(tf.float32, 2))

    def heads(self, samples: tf.Tensor, steps: tf.Tensor) -> Tensors:
        """Logits `[pieces, steps, symbols]` of every head, by name.

        Args:
            samples: `[pieces, steps * hop]`; for devices, whose shapes may be static, the network
                is traced anew.
            steps: `[pieces]`.
        """
        is_shared = current_target() in ("training", "served")
        return (self.network if is_shared else self._network)(samples, steps)

    def _network(self, samples: tf.Tensor, steps: tf.Tensor) -> Tensors:
        """Logits `[pieces, steps, symbols]` of every head, by name."""
        return dict(self.model({"samples": samples, "steps": steps}, training=False))

    def _search(self, samples: tf.Tensor, steps: tf.Tensor) -> Tensors:
        """The best texts of every piece, and the logits that they are timed by."""
        heads = self.network(samples, steps)
        best = self.decoder.search(heads["logits"], steps)
        return {"timed": heads[self.timed], "ids": best.ids, "scores": best.scores}

    def _sounds(self, audio: tf.Tensor) -> tf.RaggedTensor:
        """WAV bytes `[batch]` to samples `[batch, (steps * hop)]`."""
        return tf.map_fn(
            lambda content: waveform.whole(content, self.hop),
            audio,
            fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, 0),
            parallel_iterations=2,
        )

    def _texts(self, sounds: tf.RaggedTensor) -> Tensors:
        """Of every recording: `text`, `score`, and `words` with their `starts` and `ends` (s)."""

        def transcribed(samples, steps):
            best = self.search(samples, steps)
            ids = best["ids"][:, 0]
            words = self.decoder.with_words(best["timed"], steps, ids, self.is_framed)
            text = self.decoder.alphabet.text(ids)
            return {"text": text, "score": best["scores"][:, 0], **words}

        whole = {"text": _spec(tf.string, 1), "score": _spec(tf.float32, 1)}
        many = {"words": tf.string, "first": tf.int32, "last": tf.int32}
        specs = {**whole, **{name: _spec(kind, 2) for name, kind in many.items()}}
        results, steps = in_pieces(transcribed, sounds, self.hop, self.most, specs)
        counts = steps.row_lengths()
        before = tf.cumsum(steps.to_tensor(), axis=1, exclusive=True)
        offsets = tf.boolean_mask(before, tf.sequence_mask(counts))[:, None]
        starts = results["first"] + tf.cast(offsets, tf.int32)
        # Without a head for times, a symbol is named where it begins, and sounds for a step more.
        ends = results["last"] + tf.cast(offsets, tf.int32) + (1 if self.is_framed else 2)
        return {
            **self._joined(results, counts),
            "words": joined(results["words"], counts).to_tensor(""),
            "starts": self._times(starts, counts),
            "ends": self._times(ends, counts),
        }

    def best(self, sounds: tf.RaggedTensor) -> Tensors:
        """The `beam` best texts of every recording and their scores `[batch, beam]`."""
        beam = self.settings.beam

        def searched(samples, steps):
            best = self.search(samples, steps)
            flat = tf.reshape(best["ids"], [-1, tf.shape(best["ids"])[2]])
            texts = tf.reshape(self.decoder.alphabet.text(flat), [-1, beam])
            return {"text": _ragged(texts), "score": _ragged(best["scores"])}

        specs = {"text": _spec(tf.string, 2), "score": _spec(tf.float32, 2)}
        results, steps = in_pieces(searched, sounds, self.hop, self.most, specs)
        counts = steps.row_lengths()
        texts = grouped(results["text"].to_tensor(shape=[None, beam]), counts)
        scores = grouped(results["score"].to_tensor(shape=[None, beam]), counts)
        text = tf.strings.reduce_join(texts.to_tensor(""), axis=1, separator=" ")
        return {"text": tf.strings.strip(text), "score": tf.reduce_sum(scores, axis=1)}

    def greedy(self, sounds: tf.RaggedTensor, name: str = "logits") -> Tensors:
        """The likeliest symbols, without a search. name: of the head, also stream_logits."""

        def transcribed(samples, steps):
            decoded = self.decoder.greedy(self.network(samples, steps)[name], steps)
            return {"text": self.decoder.alphabet.text(decoded.ids), "score": decoded.scores}

        specs = {"text": _spec(tf.string, 1), "score": _spec(tf.float32, 1)}
        results, steps = in_pieces(transcribed, sounds, self.hop, self.most, specs)
        return self._joined(results, steps.row_lengths())

    def classes(self, sounds: tf.RaggedTensor) -> Tensors:
        """Logarithms of probabilities `[batch, steps, symbols]`, and `steps`; of whole sounds."""
        samples = sounds.to_tensor()
        steps = tf.cast(sounds.row_lengths(), tf.int32) // self.hop
        logs = self.decoder.alphabet.log_probabilities(self.network(samples, steps)["logits"])
        return {"log_probabilities": logs, "steps": steps}

    def _joined(self, results: Tensors, counts: tf.Tensor) -> Tensors:
        texts = grouped(results["text"], counts)
        scores = grouped(results["score"], counts)
        text = tf.strings.reduce_join(texts, axis=1, separator=" ")
        text = tf.strings.regex_replace(tf.strings.strip(text), " +", " ")
        return {"text": text, "score": tf.reduce_sum(scores, axis=1)}

    def _times(self, steps: tf.RaggedTensor, counts: tf.Tensor) -> tf.Tensor:
        seconds = tf.cast(joined(steps, counts), tf.float32) * self.seconds + self.settings.shift
        return tf.maximum(seconds.to_tensor(), 0.0)


def _graph(function: Callable, *specs: Any) -> Any:
    return tf.function(function, input_signature=specs, autograph=False)


def _spec(kind: tf.DType, rank: int) -> tf.RaggedTensorSpec:
    return tf.RaggedTensorSpec([None] * rank, kind, rank - 1)


def _ragged(values: tf.Tensor) -> tf.RaggedTensor:
    """`[rows, width]` as rows of one width."""
    rows, width = tf.unstack(tf.shape(values, tf.int64))
    return grouped(tf.reshape(values, [-1]), tf.fill([rows], width))
