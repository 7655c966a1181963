"""How a trained model is asked: sentences on a server, ids on a device."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.fields import Text
from rnnsuite.device.unigram import END, PADDING, Tokenizer
from rnnsuite.tasks import generation
from rnnsuite.tasks.lengths import lengths_up_to
from rnnsuite.tasks.sections import SearchConfig

EXAMPLES = ["A small dog runs through the garden.", "Two women are talking."]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A sentence's translation and its score, the higher the surer."""

    text: str
    score: float


def signatures(trained: Trained) -> dict[str, Signature]:
    """See `SentenceSignatures`: `text` [batch] to `text` and `score`; no text gives none.

    align: also `source_tokens` [batch, s], `target_tokens` [batch, t] and `weights` [batch, t, s],
    attention of each target subword.
    """
    source, target = trained.fitted.subwords()

    def encode_request(text):
        """Padded ids, one column at least, so that a batch of empty texts is one of padding."""
        ids = source(text).to_tensor()
        return tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])

    def attended(ids, written, weights):
        tokens = {"source_tokens": source.tokens(ids), "target_tokens": target.tokens(written)}
        return {**tokens, "weights": weights}

    texts = generation.Source(
        requests={"text": tf.TensorSpec([None], tf.string, name="text")},
        example={"text": np.array(EXAMPLES)},
        encode_request=encode_request,
        spec=tf.TensorSpec([None, None], tf.int32, name="ids"),
        example_tensor=np.full([1, 4], END + 1, np.int32),
        is_present=lambda ids: tf.reduce_any(ids != PADDING, axis=1),
        tracked=[source],
        lengths=lengths_up_to(trained.fitted.max_tokens, shortest=16),
    )
    search = trained.section(SearchConfig)
    written = generation.SentenceSignatures(trained.model, texts, target, search, attended)
    return written.signatures("align")


def device_files(trained: Trained) -> dict[str, bytes]:
    """Vocabularies, settings, and the reference tokenizer and decode loop."""
    fitted = trained.fitted
    names = [f"vocabulary.{name}.tsv" for name in fitted.languages]
    if fitted.shared:
        names = ["vocabulary.tsv"]
    return generation.device_files(
        dict(zip(names, fitted.subwords(), strict=False)),
        trained.section(SearchConfig),
        source=names[0],
        target=names[-1],
        max_tokens=fitted.max_tokens,
    )


def open_device(folder: pathlib.Path) -> OnDevice:
    """A text to `ids` [1, n] by the reference tokenizer; no text is one padding id."""
    tokenizer = functools.cache(lambda name, most: Tokenizer.load(folder / name, most))

    def request(record, settings):
        ids = tokenizer(settings["source"], settings["max_tokens"])(record["text"])
        return {"ids": np.array([ids or [PADDING]], np.int32)}

    return generation.open_device(folder, request)


SERVING = Serving(
    fields={"text": Text("a sentence")},
    answer=Answer,
    signatures=signatures,
    sections={"decode": SearchConfig},
    device=Device(files=device_files, open=open_device),
    show=functools.partial(generation.show, "text"),
)
