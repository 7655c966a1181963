"""How a trained model is asked: sentences on a server, ids on a device."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from apps.translation.data import Fitted
from rnnsuite import sentences
from rnnsuite.app import OnDevice, Signature
from rnnsuite.inputs.unigram import END, PADDING, Tokenizer

_EXAMPLES = ["A small dog runs through the garden.", "Two women are talking."]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A sentence's translation and its score, the higher the surer."""

    text: str
    score: float


def requests(values: Sequence[str]) -> list[dict[str, str]]:
    """A record for each sentence that a person typed."""
    return [{"text": value} for value in values]


def signatures(model: keras.Model, fitted: Fitted, decode: sentences.Decode) -> dict[str, Signature]:
    """See `rnnsuite.sentences.Writer`: `text` [batch] to `text` and `score`; no text is translated to none.

    align: also `source_tokens` [batch, s], `target_tokens` [batch, t] and `weights` [batch, t, s],
    attention of each target subword.
    """
    source, target = fitted.subwords()

    def ids(text):
        """Padded ids, one column at least, so that a batch of empty texts is a batch of padding."""
        found = source(text).to_tensor()
        return tf.pad(found, [[0, 0], [0, tf.maximum(1 - tf.shape(found)[1], 0)]])

    def attended(ids, written, weights):
        tokens = {"source_tokens": source.tokens(ids), "target_tokens": target.tokens(written)}
        return {**tokens, "weights": weights}

    texts = sentences.Source(
        requests={"text": tf.TensorSpec([None], tf.string, name="text")},
        example={"text": np.array(_EXAMPLES)},
        read=ids,
        spec=tf.TensorSpec([None, None], tf.int32, name="ids"),
        example_read=np.full([1, 4], END + 1, np.int32),
        there=lambda ids: tf.reduce_any(ids != PADDING, axis=1),
        tracked=[source],
    )
    return sentences.Writer(model, texts, target, decode, attended).signatures("align")


def device_files(fitted: Fitted, decode: sentences.Decode) -> dict[str, bytes]:
    """Vocabularies, settings, and the reference tokenizer and decode loop, to lie beside the .tflite files."""
    names = ["vocabulary.tsv"] if fitted.shared else [f"vocabulary.{name}.tsv" for name in fitted.languages]
    vocabularies = dict(zip(names, fitted.subwords(), strict=False))
    settings = {"source": names[0], "target": names[-1], "max_tokens": fitted.max_tokens}
    return sentences.device_files(vocabularies, decode, **settings)


def on_device(folder: pathlib.Path) -> OnDevice:
    """A text to `ids` [1, n] by the reference tokenizer, the written ids to a text. No text is translated to none."""
    source = functools.cache(lambda name, most: Tokenizer.load(folder / name, most))

    def request(record, settings):
        ids = source(settings["source"], settings["max_tokens"])(record["text"])
        return {"ids": np.array([ids or [PADDING]], np.int32)}

    return sentences.on_device(folder, request)
