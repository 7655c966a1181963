"""The ways to ask a model that writes a sentence about a source."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnsuite.app import Signature
from rnnsuite.core.errors import UserError
from rnnsuite.decoding.generator import Generator
from rnnsuite.decoding.step import Decoded
from rnnsuite.device.unigram import START
from rnnsuite.inputs.subword import Subwords
from rnnsuite.tasks.sections import SearchConfig

Attended = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Source:
    """What sentences are written about, from a request to what the encoder takes.

    Args:
        requests: the inputs of a request, `[batch]` each, by name.
        example: one request.
        encode_request: `encode_request(**request)` gives the tensor that the encoder takes.
        spec: describes that tensor.
        example_tensor: one of those, with a batch of one, which devices give.
        is_present: rows `[batch]` of the tensor that a sentence can be written about; the others
            get an empty one.
        tracked: objects whose lookup tables `encode_request` uses.
        lengths: see `Signature`; none for tensors of one shape.
    """

    requests: Mapping[str, tf.TensorSpec]
    example: Mapping[str, np.ndarray]
    encode_request: Callable[..., tf.Tensor]
    spec: tf.TensorSpec
    example_tensor: np.ndarray
    is_present: Callable[[tf.Tensor], tf.Tensor]
    tracked: Sequence[Any] = ()
    lengths: Sequence[int] = ()


@dataclasses.dataclass(frozen=True)
class SentenceSignatures:
    """The signatures of a model whose layers "encoder" and "decoder" write a sentence.

    Args:
        model: the Keras model.
        source: what it writes about.
        subwords: the vocabulary of what it writes.
        search: how it is searched for.
        attended: `attended(source tensor, ids, weights)` gives the outputs that show the attention
            `[batch, ids, positions]` of every subword.
        name: of the output that holds the sentence.

    Raises:
        UserError: for a beam that is larger than the vocabulary.
    """

    model: keras.Model
    source: Source
    subwords: Subwords
    search: SearchConfig
    attended: Attended
    name: str = "text"

    def __post_init__(self):
        size = len(self.subwords.pieces)
        if self.search.beam > size:
            raise UserError(
                f"decode.beam: {self.search.beam} is more than the {size} of the vocabulary."
            )

    def signatures(self, attention: str) -> dict[str, Signature]:
        """Every way to ask the model.

        All but encode and step take a request and give a sentence and its `score`, `[batch]`:
        serving_default by beam search; greedy, the most probable subword at every step; nbest,
        `[batch, beam]`, best first, with the optional inputs `beam`, `length_penalty` and
        `coverage_penalty`; sample, drawn, with `temperature`, `top_k`, `top_p` and `seed`. encode
        and step are for a decode loop outside of the model.

        Args:
            attention: name of one more, which gives what serving_default does and what `attended`
                gives.

        Returns:
            Signatures by name.
        """
        # Functions of their own, so that several signatures share one graph.
        best = tf.function(self._best, input_signature=[self.source.spec], autograph=False)

        def answer(**request):
            return best(self._read(**request))[0]

        def answer_with_attention(**request):
            tensor = self._read(**request)
            return self._with_attention(tensor, *best(tensor))

        generator = self._generator
        penalties = {
            "length_penalty": self.search.length_penalty,
            "coverage_penalty": self.search.coverage_penalty,
        }
        return {
            "serving_default": self._signature(answer),
            "greedy": self._signature(self._decoding(generator.greedy)),
            "nbest": self._signature(
                self._decoding(generator.search), beam=self.search.beam, **penalties
            ),
            "sample": self._signature(
                self._decoding(generator.sample), temperature=1.0, top_k=0, top_p=1.0, seed=0
            ),
            attention: self._signature(answer_with_attention),
            **self._device_signatures(),
        }

    @property
    def _generator(self) -> Generator:
        decoder = self.model.get_layer("decoder")
        return Generator(decoder, self.subwords, self.search.max_length)

    @functools.cached_property
    def _read(self) -> Callable:
        """A request to the encoder's tensor, traced once for all signatures."""
        specs = [
            tf.TensorSpec(spec.shape, spec.dtype, name)
            for name, spec in self.source.requests.items()
        ]
        names = list(self.source.requests)

        @tf.function(input_signature=specs, autograph=False)
        def read(*inputs):
            return self.source.encode_request(**dict(zip(names, inputs, strict=True)))

        return lambda **request: read(*(request[name] for name in names))

    @functools.cached_property
    def _encode(self) -> Callable:
        """The encoder, traced once for all signatures that run on a server."""
        encoder = self.model.get_layer("encoder")

        @tf.function(input_signature=[self.source.spec], autograph=False)
        def encode(tensor):
            return encoder(tensor, training=False)

        return encode

    def _signature(self, function: Callable, **settings: float) -> Signature:
        """A signature that takes a request and optional inputs with these defaults."""
        defaults = {
            name: np.array(value, np.int32 if type(value) is int else np.float32)
            for name, value in settings.items()
        }
        specs = {
            name: tf.TensorSpec([], value.dtype, name=name) for name, value in defaults.items()
        }
        return Signature(
            function,
            inputs={**self.source.requests, **specs},
            example={**self.source.example, **defaults},
            tracked=[*self.source.tracked, self.subwords],
            defaults=defaults,
        )

    def _decoding(self, decode: Callable[..., Decoded]) -> Callable:
        """`function(request and settings)` that answers with `decode(encoded, settings)`."""

        def answer(**inputs):
            request = {name: inputs.pop(name) for name in self.source.requests}
            tensor = self._read(**request)
            return self._answer(tensor, decode(self._encode(tensor), **inputs))

        return answer

    def _answer(self, tensor, decoded: Decoded):
        answer = self._generator.text(decoded)
        axes = [1] * (answer["text"].shape.rank - 1)
        present = tf.reshape(self.source.is_present(tensor), [-1, *axes])
        text = tf.where(present, answer["text"], "")
        return {self.name: text, "score": tf.where(present, answer["score"], 0.0)}

    def _best(self, tensor):
        """The answer by beam search, and its ids."""
        decoded = self._generator.search(
            self._encode(tensor),
            self.search.beam,
            length_penalty=self.search.length_penalty,
            coverage_penalty=self.search.coverage_penalty,
        )
        best = Decoded(*(part[:, 0] for part in decoded))
        return self._answer(tensor, best), best.ids

    def _with_attention(self, tensor, answer, ids):
        longest = tf.reduce_max(tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1))
        ids = ids[:, :longest]
        weights = self._generator.weights(self._encode(tensor), ids)
        weights = tf.where(ids[..., None] > 0, weights, 0.0)
        return {**answer, **self.attended(tensor, ids, weights)}

    def _device_signatures(self) -> dict[str, Signature]:
        """encode takes what the encoder takes, without padding; step a token and the state."""
        spec = self.source.spec
        name = str(spec.name)
        generator = self._generator

        def encode(**inputs):
            encoded = self.model.get_layer("encoder")(inputs[name], training=False)
            return generator.initial_state(encoded)

        traced = tf.function(encode, autograph=False).get_concrete_function(**{name: spec})
        outputs = traced.structured_outputs
        specs = {key: tf.TensorSpec(v.shape, v.dtype, key) for key, v in outputs.items()}
        state = traced(tf.constant(self.source.example_tensor))
        example = {key: value.numpy() for key, value in state.items()}
        token = tf.TensorSpec([None], tf.int32, name="token")
        device = functools.partial(Signature, lite=True, lengths=self.source.lengths)
        return {
            "encode": device(encode, {name: spec}, {name: self.source.example_tensor}),
            "step": device(
                generator.step,
                {"token": token, **specs},
                {"token": np.array([START], np.int32), **example},
            ),
        }
