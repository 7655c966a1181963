"""How a trained model is asked: raw texts on a server, ids on a device."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from apps.sentiment.data import Fitted
from rnnsuite.app import OnDevice, Signature
from rnnsuite.inputs.wordpiece import Tokenizer

_EXAMPLES = ["A film to see twice.", "Not for a moment did I believe a word of it."]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A text's class, and the probability of every class, in the order of labels.txt."""

    label: str
    probabilities: tuple[float, ...]


def requests(values: Sequence[str]) -> list[dict[str, str]]:
    """A record for each text that a person typed."""
    return [{"text": value} for value in values]


def signatures(model: keras.Model, fitted: Fitted) -> dict[str, Signature]:
    """serving_default and explain take `text` [batch]; classify_ids takes `ids` [batch, tokens], 0 for padding.

    serving_default: `label` [batch] and `probabilities` [batch, classes], in the order of
    labels.txt. explain: also `tokens` and `weights` [batch, tokens], attention that sums to 1.
    classify_ids: `probabilities` and `weights`.
    """
    to_ids, labels = fitted.text_to_ids(), tf.constant(fitted.labels)
    text = {"text": tf.TensorSpec([None], tf.string, name="text")}
    ids = {"ids": tf.TensorSpec([None, None], tf.int32, name="ids")}

    def classify(ids):
        outputs = model(ids, training=False)
        return {"probabilities": tf.nn.softmax(outputs["logits"]), "weights": outputs["weights"]}

    # A function of its own, so that two signatures share one graph.
    @tf.function(input_signature=list(text.values()))
    def explain(text):
        # One column at least, so that a batch of empty texts is a batch of padding.
        ids = to_ids(text).to_tensor()
        ids = tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])
        answer = classify(ids)
        label = tf.gather(labels, tf.argmax(answer["probabilities"], axis=-1))
        return {"label": label, **answer, "tokens": to_ids.tokens(ids)}

    def serve(text):
        answer = explain(text)
        return {name: answer[name] for name in ("label", "probabilities")}

    texts, numbers = {"text": np.array(_EXAMPLES)}, {"ids": np.ones([2, 8], np.int32)}
    return {
        "serving_default": Signature(serve, text, texts, tracked=[to_ids]),
        "explain": Signature(explain, text, texts, tracked=[to_ids]),
        "classify_ids": Signature(classify, ids, numbers, lite=True),
    }


def device_files(fitted: Fitted) -> dict[str, bytes]:
    """Vocabulary, labels, tokenizer settings and the tokenizer itself, to lie beside the .tflite files."""
    settings = {"lower": fitted.lower, "max_tokens": fitted.max_tokens}
    return {
        "vocabulary.txt": "".join(f"{piece}\n" for piece in fitted.vocabulary).encode(),
        "labels.txt": "".join(f"{label}\n" for label in fitted.labels).encode(),
        "tokenizer.json": (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": resources.files("rnnsuite.inputs").joinpath("wordpiece.py").read_bytes(),
    }


def on_device(folder: pathlib.Path) -> OnDevice:
    """Text to `ids` [1, tokens] by the reference tokenizer; `probabilities` to a label. No text is one padding id."""
    tokenizer = Tokenizer.load(folder)
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()

    def request(record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {"ids": np.array([tokenizer(record["text"]) or [0]], np.int32)}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        probabilities = outputs["probabilities"][0]
        return {"label": labels[int(probabilities.argmax())].encode(), "probabilities": probabilities}

    return OnDevice(request, answer)
