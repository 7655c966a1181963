"""How a trained model is asked: texts on a server, ids on a device."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, Serving
from rnnsuite.core.fields import Text
from rnnsuite.device.unigram import END, PADDING, Tokenizer
from rnnsuite.tasks import generation
from rnnsuite.tasks.lengths import lengths_up_to
from rnnsuite.tasks.sections import SearchConfig

VOCABULARY = "vocabulary.tsv"
"""The file with the subwords, beside .tflite files."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A text and its score, the higher the surer."""

    text: str
    score: float


def signatures(trained):
    """serving_default by beam search, greedy, nbest, sample, align; see `SentenceSignatures`."""
    subwords = trained.fitted.subwords()

    def encode_request(text):
        """Padded ids, one column at least, so that a batch of empty texts is one of padding."""
        ids = subwords(text).to_tensor()
        return tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])

    def attended(ids, written, weights):
        tokens = {"source_tokens": subwords.tokens(ids), "target_tokens": subwords.tokens(written)}
        return {**tokens, "weights": weights}

    texts = generation.Source(
        requests={"text": tf.TensorSpec([None], tf.string, name="text")},
        example={"text": np.array(["3 March 2024", "May 1, 1999"])},
        encode_request=encode_request,
        spec=tf.TensorSpec([None, None], tf.int32, name="ids"),
        example_tensor=np.full([1, 4], END + 1, np.int32),
        is_present=lambda ids: tf.reduce_any(ids != PADDING, axis=1),
        tracked=[subwords],
        lengths=lengths_up_to(trained.fitted.max_tokens, shortest=16),
    )
    search = trained.section(SearchConfig)
    written = generation.SentenceSignatures(trained.model, texts, subwords, search, attended)
    return written.signatures("align")


def files(trained):
    """What lies beside .tflite files: subwords, settings, tokenizer and decode loop."""
    return generation.device_files(
        {VOCABULARY: trained.fitted.subwords()},
        trained.section(SearchConfig),
        target=VOCABULARY,
        max_tokens=trained.fitted.max_tokens,
    )


def open_device(folder):
    """Reads it again; a text becomes `ids` [1, n], no text one padding id."""
    tokenizer = functools.cache(lambda most: Tokenizer.load(folder / VOCABULARY, most))

    def request(record, settings):
        ids = tokenizer(settings["max_tokens"])(record["text"])
        return {"ids": np.array([ids or [PADDING]], np.int32)}

    return generation.open_device(folder, request)


SERVING = Serving(
    fields={"text": Text("a text")},
    answer=Answer,
    signatures=signatures,
    sections={"decode": SearchConfig},
    device=Device(files=files, open=open_device),
    show=functools.partial(generation.show, "text"),
)
