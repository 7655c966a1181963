"""How a trained model is asked: raw texts on a server, ids on a device."""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, OnDevice, Serving, Signature, Trained
from rnnsuite.core.fields import Record, Text
from rnnsuite.device import unigram, wordpiece
from rnnsuite.device.wordpiece import Tokenizer
from rnnsuite.tasks import classification
from rnnsuite.tasks.lengths import lengths_up_to

from .data import Fitted

SUBWORDS = "vocabulary.tsv"
"""The vocabulary of a model that begins with a language model."""
EXAMPLES = ["A film to see twice.", "Not for a moment did I believe a word of it."]


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default and explain take `text` [batch]; classify_ids takes `ids` [batch, tokens].

    serving_default gives `label` [batch] and `probabilities` [batch, classes], in the order of
    labels.txt; explain also `tokens` and `weights` [batch, tokens], attention that sums to 1;
    classify_ids `probabilities` and `weights`. 0 in ids is padding.
    """
    fitted = trained.fitted
    to_ids = fitted.text_to_ids()
    text = {"text": tf.TensorSpec([None], tf.string, name="text")}
    ids = {"ids": tf.TensorSpec([None, None], tf.int32, name="ids")}

    def classify(ids):
        outputs = trained.model(ids, training=False)
        return classification.probabilities({**outputs, "logits": _mixed(trained, outputs)})

    # A function of its own, so that two signatures share one graph.
    @tf.function(input_signature=list(text.values()), autograph=False)
    def explain(text):
        # One column at least, so that a batch of empty texts is a batch of padding.
        ids = to_ids(text).to_tensor()
        ids = tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])
        answer = classification.with_label(fitted.labels, classify(ids))
        return {**answer, "tokens": to_ids.tokens(ids)}

    def serve(text):
        answer = explain(text)
        return {name: answer[name] for name in ("label", "probabilities")}

    texts = {"text": np.array(EXAMPLES)}
    numbers = {"ids": np.ones([2, 8], np.int32)}
    lengths = lengths_up_to(fitted.max_tokens)
    return {
        "serving_default": Signature(serve, text, texts, tracked=[to_ids]),
        "explain": Signature(explain, text, texts, tracked=[to_ids]),
        "classify_ids": Signature(classify, ids, numbers, lite=True, lengths=lengths),
    }


def _mixed(trained: Trained, outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The network's logits, with the n-grams' where there are any, as calibration weighs them."""
    factors = trained.calibration
    if "ngrams" not in factors:
        return outputs["logits"]
    return factors["network"] * outputs["logits"] + factors["ngrams"] * outputs["ngrams"]


def device_files(trained: Trained) -> dict[str, bytes]:
    """Vocabulary, labels, tokenizer settings and the tokenizer itself."""
    fitted = trained.fitted
    settings = {"lower": fitted.lower, "max_tokens": fitted.max_tokens}
    name = "vocabulary.txt"
    lines = fitted.vocabulary
    tokenizer = wordpiece
    if fitted.subwords:
        subwords = fitted.text_to_ids()
        settings["keep"] = subwords.keep
        name = SUBWORDS
        pairs = zip(subwords.pieces, subwords.scores, strict=True)
        lines = [f"{piece}\t{value:.9g}" for piece, value in pairs]
        tokenizer = unigram
    return {
        name: "".join(f"{line}\n" for line in lines).encode(),
        classification.LABELS: classification.labels_file(fitted.labels),
        "tokenizer.json": (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": pathlib.Path(tokenizer.__file__).read_bytes(),
    }


def _tokenizer(folder: pathlib.Path) -> Callable[[Any], list[int]]:
    if not (folder / SUBWORDS).is_file():
        return Tokenizer.load(folder)
    settings = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    options = {"lower": settings["lower"], "keep": settings["keep"]}
    return unigram.Tokenizer.load(folder / SUBWORDS, settings["max_tokens"], **options)


def open_device(folder: pathlib.Path) -> OnDevice:
    """Text to `ids` [1, tokens] by the reference tokenizer; no text is one padding id."""
    tokenizer = _tokenizer(folder)
    labels = classification.read_labels(folder)

    def request(record: Record) -> dict[str, np.ndarray]:
        return {"ids": np.array([tokenizer(record["text"]) or [0]], np.int32)}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return classification.device_answer(labels, outputs)

    return OnDevice(request, answer)


def exported(fitted: Fitted) -> Fitted:
    """Without the table of n-grams, a megabyte that the graph holds."""
    return dataclasses.replace(fitted, ngrams=None)


SERVING = Serving(
    fields={"text": Text("a text, such as a review")},
    answer=classification.ClassAnswer,
    signatures=signatures,
    device=Device(files=device_files, open=open_device),
    show=classification.show,
    exported=exported,
)
