"""How a trained model is asked: sentences on a server, ids on a device."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Annotated, Any

import keras
import numpy as np
import pydantic
import tensorflow as tf

from apps.translation.data import Fitted
from rnnsuite.app import OnDevice, Signature
from rnnsuite.config import NotNegative, Positive, section
from rnnsuite.decoding import Decoded
from rnnsuite.errors import UserError
from rnnsuite.export import writer
from rnnsuite.generation import Generator
from rnnsuite.inputs.unigram import END, PADDING, START, Tokenizer

_EXAMPLES = ["A small dog runs through the garden.", "Two women are talking."]


@section
class Decode:
    """How a translation is searched for.

    beam: hypotheses under way. length_penalty: 0 for the most probable, 1 for the most probable
    a subword (arXiv 1609.08144, eq. 14). coverage_penalty: how much it counts that all of the
    source has been attended (the same). max_length: in subwords.
    """

    beam: Positive = 5
    length_penalty: NotNegative = 1.0
    coverage_penalty: NotNegative = 0.0
    max_length: Annotated[int, pydantic.Field(ge=1, le=1000)] = 100


def requests(values: Sequence[str]) -> list[dict[str, str]]:
    """A record for each sentence that a person typed."""
    return [{"text": value} for value in values]


def signatures(model: keras.Model, fitted: Fitted, decode: Decode) -> dict[str, Signature]:
    """All but encode and step take `text` [batch] and give `text` and `score` [batch]; no text is translated to none.

    serving_default: by beam search. greedy: the most probable subword after the other. nbest:
    `[batch, beam]`, best first; may be told `beam`, `length_penalty` and `coverage_penalty`.
    sample: drawn; may be told `temperature`, `top_k`, `top_p` and `seed`. align: serving_default
    with `source_tokens` [batch, s], `target_tokens` [batch, t] and `weights` [batch, t, s],
    attention of each target subword. encode and step: for a decode loop outside of the model.
    Raises UserError for a beam that is larger than the vocabulary.
    """
    asked = _Asked(model, fitted, decode)
    text = {"text": tf.TensorSpec([None], tf.string, name="text")}
    penalties = {"length_penalty": decode.length_penalty, "coverage_penalty": decode.coverage_penalty}
    drawing = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0}

    def sentences(function, **settings):
        defaults = {
            name: np.array(value, np.int32 if type(value) is int else np.float32) for name, value in settings.items()
        }
        specs = {name: tf.TensorSpec([], value.dtype, name=name) for name, value in defaults.items()}
        example = {"text": np.array(_EXAMPLES), **defaults}
        return Signature(function, {**text, **specs}, example, tracked=asked.tracked, defaults=defaults)

    return {
        "serving_default": sentences(asked.best),
        "greedy": sentences(asked.greedy),
        "nbest": sentences(asked.nbest, beam=decode.beam, **penalties),
        "sample": sentences(asked.sample, **drawing),
        "align": sentences(asked.align),
        **asked.on_device(),
    }


class _Asked:
    """The functions behind the signatures."""

    def __init__(self, model: keras.Model, fitted: Fitted, decode: Decode):
        self.source, self.target = self.tracked = fitted.subwords()
        if decode.beam > len(self.target.pieces):
            raise UserError(f"decode.beam: {decode.beam} is more than the {len(self.target.pieces)} of the vocabulary.")
        self.encoder, self.decode = model.get_layer("encoder"), decode
        self.generator = Generator(model.get_layer("decoder"), self.target, decode.max_length)
        # A function of its own, so that several signatures share one graph.
        self.found = tf.function(self._found, input_signature=[tf.TensorSpec([None, None], tf.int32)], autograph=False)

    def _ids(self, text):
        """Padded ids, one column at least, so that a batch of empty texts is a batch of padding."""
        ids = self.source(text).to_tensor()
        return tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])

    def _found(self, ids):
        settings = {"length_penalty": self.decode.length_penalty, "coverage_penalty": self.decode.coverage_penalty}
        encoded = self.encoder(ids, training=False)
        decoded = self.generator.search(encoded, self.decode.beam, **settings)
        best = Decoded(*(each[:, 0] for each in decoded))
        return self._answer(ids, best), best.ids

    def _answer(self, ids, decoded):
        there = tf.reduce_any(ids != PADDING, axis=1)
        answer = self.generator.text(decoded)
        there = tf.reshape(there, [-1] + [1] * (answer["text"].shape.rank - 1))
        return {"text": tf.where(there, answer["text"], ""), "score": tf.where(there, answer["score"], 0.0)}

    def best(self, text):
        return self.found(self._ids(text))[0]

    def greedy(self, text):
        ids = self._ids(text)
        return self._answer(ids, self.generator.greedy(self.encoder(ids, training=False)))

    def nbest(self, text, beam, length_penalty, coverage_penalty):
        ids = self._ids(text)
        penalties = {"length_penalty": length_penalty, "coverage_penalty": coverage_penalty}
        return self._answer(ids, self.generator.search(self.encoder(ids, training=False), beam, **penalties))

    def sample(self, text, temperature, top_k, top_p, seed):
        ids, settings = self._ids(text), {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        return self._answer(ids, self.generator.sample(self.encoder(ids, training=False), seed, **settings))

    def align(self, text):
        ids = self._ids(text)
        answer, written = self.found(ids)
        longest = tf.reduce_max(tf.reduce_sum(tf.cast(written > 0, tf.int32), axis=1))
        written = written[:, :longest]
        weights = self.generator.weights(self.encoder(ids, training=False), written)
        weights = tf.where(written[..., None] > 0, weights, 0.0)
        tokens = {"source_tokens": self.source.tokens(ids), "target_tokens": self.target.tokens(written)}
        return {**answer, **tokens, "weights": weights}

    def on_device(self) -> dict[str, Signature]:
        """`encode` takes `ids` [1, n] without padding; `step` the token before and all that encode gives."""
        ids = {"ids": tf.TensorSpec([None, None], tf.int32, name="ids")}

        def encode(ids):
            return self.generator.begin(self.encoder(ids, training=False))

        def named(name, value):
            return tf.TensorSpec(
                [None, *([None] if name in ("memory", "keys") else []), value.shape[-1]], tf.float32, name
            )

        numbers = np.full([1, 4], END + 1, np.int32)
        begun = {name: value.numpy() for name, value in encode(tf.constant(numbers)).items()}
        specs = {"token": tf.TensorSpec([None], tf.int32, name="token"), **{n: named(n, v) for n, v in begun.items()}}
        example = {"token": np.array([START], np.int32), **begun}
        return {
            "encode": Signature(encode, ids, {"ids": numbers}, lite=True),
            "step": Signature(self.generator.write, specs, example, lite=True),
        }


def device_files(fitted: Fitted, decode: Decode) -> dict[str, bytes]:
    """Vocabularies, settings, and the reference tokenizer and decode loop, to lie beside the .tflite files."""
    names = ["vocabulary.tsv"] if fitted.shared else [f"vocabulary.{name}.tsv" for name in fitted.languages]
    settings = {
        "source": names[0], "target": names[-1], "max_tokens": fitted.max_tokens,
        "start": START, "end": END, "most": decode.max_length,
    }  # fmt: skip
    files = {
        name: "".join(f"{p}\t{s:.9g}\n" for p, s in zip(subwords.pieces, subwords.scores, strict=True)).encode()
        for name, subwords in zip(names, fitted.subwords(), strict=False)
    }
    return {
        **files,
        "decode.json": (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": resources.files("rnnsuite.inputs").joinpath("unigram.py").read_bytes(),
        "writer.py": pathlib.Path(writer.__file__).read_bytes(),
    }


def on_device(folder: pathlib.Path) -> OnDevice:
    """A text to `ids` [1, n] by the reference tokenizer, the written ids to a text. No text is translated to none."""
    settings = json.loads((folder / "decode.json").read_text(encoding="utf-8"))
    source, target = (Tokenizer.load(folder / settings[side], settings["max_tokens"]) for side in ("source", "target"))

    def request(record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {"ids": np.array([source(record["text"]) or [PADDING]], np.int32)}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {"text": target.text(outputs["ids"][0].tolist()).encode()}

    return OnDevice(request, answer, like="greedy", program=writer)
