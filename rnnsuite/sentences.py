"""What applications that write sentences share: how they search, how they are asked, what a device needs.

Here parts and pipeline meet, as they do in an application; only applications import this.
"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Annotated, Any

import keras
import numpy as np
import pydantic
import tensorflow as tf

from rnnsuite.app import OnDevice, Signature
from rnnsuite.config import NotNegative, Positive, section
from rnnsuite.decoding import Decoded
from rnnsuite.errors import UserError
from rnnsuite.export import writer
from rnnsuite.generation import Generator
from rnnsuite.inputs.subword import Subwords
from rnnsuite.inputs.unigram import END, START, Tokenizer


@section
class Decode:
    """How a sentence is searched for.

    beam: hypotheses under way. length_penalty: 0 for the most probable, 1 for the most probable
    a subword (arXiv 1609.08144, eq. 14). coverage_penalty: how much it counts that all of the
    memory has been attended (the same). max_length: in subwords.
    """

    beam: Positive = 5
    length_penalty: NotNegative = 1.0
    coverage_penalty: NotNegative = 0.0
    max_length: Annotated[int, pydantic.Field(ge=1, le=1000)] = 100


@dataclasses.dataclass(frozen=True)
class Source:
    """What sentences are written about, from a request to what the encoder takes.

    requests: the inputs of a request, `[batch]` each, by name. example: one of them. read(**request):
    the tensor that the encoder takes, as `spec` describes it. example_read: one of those, with a
    batch of one, which devices give. there(tensor): rows `[batch]` that a sentence can be
    written about; the others get an empty one. tracked: objects whose lookup tables `read` uses.
    """

    requests: Mapping[str, tf.TensorSpec]
    example: Mapping[str, np.ndarray]
    read: Callable[..., tf.Tensor]
    spec: tf.TensorSpec
    example_read: np.ndarray
    there: Callable[[tf.Tensor], tf.Tensor]
    tracked: Sequence[Any] = ()


Attended = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Writer:
    """The signatures of a model whose layers "encoder" and "decoder" write a sentence about a source.

    name: of the output that holds the sentence. attended(source tensor, ids, weights): the
    outputs that show the attention `[batch, ids, positions]` of every subword. Raises
    UserError for a beam that is larger than the vocabulary.
    """

    model: keras.Model
    source: Source
    subwords: Subwords
    decode: Decode
    attended: Attended
    name: str = "text"

    def __post_init__(self):
        size = len(self.subwords.pieces)
        if self.decode.beam > size:
            raise UserError(f"decode.beam: {self.decode.beam} is more than the {size} of the vocabulary.")

    def signatures(self, attention: str) -> dict[str, Signature]:
        """All but encode and step take a request and give a sentence and its `score`, `[batch]`.

        serving_default: by beam search. greedy: the most probable subword after the other.
        nbest: `[batch, beam]`, best first; may be told `beam`, `length_penalty` and
        `coverage_penalty`. sample: drawn; may be told `temperature`, `top_k`, `top_p` and
        `seed`. One more, called `attention`: serving_default and what `attended` gives.
        encode and step: for a decode loop outside of the model.
        """
        # A function of its own, so that several signatures share one graph.
        found = tf.function(self._found, input_signature=[self.source.spec], autograph=False)

        def best(**request):
            return found(self.source.read(**request))[0]

        def shown(**request):
            tensor = self.source.read(**request)
            return self._shown(tensor, *found(tensor))

        decode = self.decode
        penalties = {"length_penalty": decode.length_penalty, "coverage_penalty": decode.coverage_penalty}
        return {
            "serving_default": self._signature(best),
            "greedy": self._signature(self._asking(self._greedy)),
            "nbest": self._signature(self._asking(self._nbest), beam=decode.beam, **penalties),
            "sample": self._signature(self._asking(self._sample), temperature=1.0, top_k=0, top_p=1.0, seed=0),
            attention: self._signature(shown),
            **self._on_device(),
        }

    @property
    def _generator(self) -> Generator:
        return Generator(self.model.get_layer("decoder"), self.subwords, self.decode.max_length)

    def _encoded(self, tensor):
        return self.model.get_layer("encoder")(tensor, training=False)

    def _signature(self, function: Callable, **settings: float) -> Signature:
        defaults = {
            name: np.array(value, np.int32 if type(value) is int else np.float32) for name, value in settings.items()
        }
        specs = {name: tf.TensorSpec([], value.dtype, name=name) for name, value in defaults.items()}
        source = self.source
        tracked, inputs = [*source.tracked, self.subwords], {**source.requests, **specs}
        return Signature(function, inputs, {**source.example, **defaults}, tracked=tracked, defaults=defaults)

    def _asking(self, decoded: Callable[..., Decoded]) -> Callable:
        """`function(request and settings)` that answers with what `decoded(encoded, settings)` finds."""

        def answer(**inputs):
            settings = {name: value for name, value in inputs.items() if name not in self.source.requests}
            tensor = self.source.read(**{name: inputs[name] for name in self.source.requests})
            return self._answer(tensor, decoded(self._encoded(tensor), **settings))

        return answer

    def _greedy(self, encoded):
        return self._generator.greedy(encoded)

    def _nbest(self, encoded, **settings):
        return self._generator.search(encoded, **settings)

    def _sample(self, encoded, **settings):
        return self._generator.sample(encoded, **settings)

    def _answer(self, tensor, decoded):
        answer = self._generator.text(decoded)
        there = tf.reshape(self.source.there(tensor), [-1] + [1] * (answer["text"].shape.rank - 1))
        text, score = tf.where(there, answer["text"], ""), tf.where(there, answer["score"], 0.0)
        return {self.name: text, "score": score}

    def _found(self, tensor):
        settings = {
            "length_penalty": self.decode.length_penalty, "coverage_penalty": self.decode.coverage_penalty,
        }  # fmt: skip
        decoded = self._generator.search(self._encoded(tensor), self.decode.beam, **settings)
        best = Decoded(*(each[:, 0] for each in decoded))
        return self._answer(tensor, best), best.ids

    def _shown(self, tensor, answer, ids):
        longest = tf.reduce_max(tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1))
        ids = ids[:, :longest]
        weights = self._generator.weights(self._encoded(tensor), ids)
        return {**answer, **self.attended(tensor, ids, tf.where(ids[..., None] > 0, weights, 0.0))}

    def _on_device(self) -> dict[str, Signature]:
        """`encode` takes what the encoder takes, without padding; `step` the token before and all that encode gives."""
        spec, generator = self.source.spec, self._generator

        def encode(**inputs):
            return generator.begin(self._encoded(inputs[spec.name]))

        traced = tf.function(encode, autograph=False).get_concrete_function(**{spec.name: spec})
        specs = {name: tf.TensorSpec(v.shape, v.dtype, name) for name, v in traced.structured_outputs.items()}
        begun = traced(tf.constant(self.source.example_read))
        example = {"token": np.array([START], np.int32), **{name: value.numpy() for name, value in begun.items()}}
        token = tf.TensorSpec([None], tf.int32, name="token")
        return {
            "encode": Signature(encode, {spec.name: spec}, {spec.name: self.source.example_read}, lite=True),
            "step": Signature(generator.write, {"token": token, **specs}, example, lite=True),
        }


def device_files(vocabularies: Mapping[str, Subwords], decode: Decode, **settings: Any) -> dict[str, bytes]:
    """Vocabularies by file name, settings, and the reference tokenizer and decode loop, to lie beside .tflite files."""
    files = {
        name: "".join(f"{p}\t{s:.9g}\n" for p, s in zip(subwords.pieces, subwords.scores, strict=True)).encode()
        for name, subwords in vocabularies.items()
    }
    settings = {**settings, "start": START, "end": END, "most": decode.max_length}
    return {
        **files,
        "decode.json": (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": resources.files("rnnsuite.inputs").joinpath("unigram.py").read_bytes(),
        "writer.py": pathlib.Path(writer.__file__).read_bytes(),
    }


def on_device(
    folder: pathlib.Path, request: Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping], name: str = "text"
) -> OnDevice:
    """`request(record, settings)` to what encode takes; the ids that are written to a sentence called `name`.

    settings: those of decode.json, of which `target` is the vocabulary's file.
    """
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    target = Tokenizer.load(folder / settings["target"], settings["max_tokens"])

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {name: target.text(outputs["ids"][0].tolist()).encode()}

    return OnDevice(lambda record: request(record, settings), answer, like="greedy", program=writer)
