"""A linear classifier of token n-grams that is averaged with the network: wide beside deep.

What an n-gram says of a class is soon learned and soon forgotten by a recurrent network; what
stands far apart is none. The two err on different texts (Mesnil et al., arXiv 1412.5335; Cheng et
al., arXiv 1606.07792), and so their mixture errs less than either.

An n-gram is a row of a table by a hash of its token ids, in TensorFlow, NumPy and .tflite alike.
"""

import base64
import dataclasses
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import scipy.optimize
import scipy.sparse
import tensorflow as tf

from rnnsuite.tasks.text_floor import linear_classifier

LONGEST = 3
"""Tokens of the longest n-grams."""
LEVELS = 127
"""Roots of weights are stored as whole numbers from -127 to 127: most weights are small, and their
steps must be, too.
"""

MOST = 10.0
"""By which either part is multiplied at most, where it is always right on few texts."""


@dataclasses.dataclass(frozen=True)
class Ngrams:
    """A linear classifier of hashed n-grams.

    Args:
        roots: signed square roots of the weights, int8 `[rows, columns]`, by zlib and base64.
        scales, biases: of the columns: classes, or of two classes the second alone. A weight is a
            root times its size times the scale.
    """

    roots: str
    scales: tuple[float, ...]
    biases: tuple[float, ...]

    def table(self) -> np.ndarray:
        """The roots as int8 `[rows, columns]`."""
        content = zlib.decompress(base64.b64decode(self.roots))
        return np.frombuffer(content, np.int8).reshape(-1, len(self.scales))


def codes(vocabulary: int) -> np.ndarray:
    """A number for every place in an n-gram and every token `[LONGEST, vocabulary]`.

    Their sum modulo the table's rows is the row of an n-gram; it stays below 2^31.
    """
    x = np.arange(1, LONGEST * vocabulary + 1, dtype=np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # MurmurHash3's finalizer
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x = (x ^ (x >> np.uint32(16))) >> np.uint32(3)
    return x.astype(np.int32).reshape(LONGEST, vocabulary)


def rows_of(ids: np.ndarray, places: np.ndarray, rows: int) -> np.ndarray:
    """The rows of a text's n-grams, each once, in rising order.

    Args:
        ids: of its tokens `[tokens]`, without padding.
        places: as `codes` gives them.
        rows: of the table.
    """
    found = []
    for order in range(1, min(LONGEST, len(ids)) + 1):
        parts = [places[k][ids[k : len(ids) - order + 1 + k]] for k in range(order)]
        found.append(np.sum(parts, axis=0, dtype=np.int32) % rows)
    return np.unique(np.concatenate(found)) if found else np.zeros([0], np.int32)


def learn(
    texts: Iterable[np.ndarray],
    labels: Sequence[str],
    names: Sequence[str],
    vocabulary: int,
    rows: int,
) -> Ngrams:
    """Fits the classifier.

    Args:
        texts: ids of each text's tokens.
        labels: its class.
        names: the classes.
        vocabulary: token ids.
        rows: of the table.

    Returns:
        The classifier, rounded to int8.
    """
    places = codes(vocabulary)
    found = [rows_of(ids, places, rows) for ids in texts]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.concatenate(found)
    occurs = scipy.sparse.csr_matrix(
        (np.ones(len(columns)), columns, ends), shape=(len(found), rows)
    )
    weights, biases = linear_classifier(occurs, np.array(labels), names)
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-12) / LEVELS**2
    table = np.rint(np.sign(weights) * np.sqrt(np.abs(weights) / scales)).astype(np.int8)
    content = base64.b64encode(zlib.compress(table.tobytes(), 9)).decode()
    return Ngrams(content, tuple(map(float, scales)), tuple(map(float, biases)))


class NgramClassifier(keras.layers.Layer):
    """Token ids `[batch, tokens]`, 0 for padding at the end, to logits `[batch, classes]`.

    Args:
        ngrams: what was fitted.
        vocabulary: token ids.
    """

    def __init__(self, ngrams: Ngrams, vocabulary: int, **options: Any):
        super().__init__(trainable=False, **options)
        self.ngrams = ngrams
        self.places = codes(vocabulary)

    def build(self, shape: Any) -> None:
        table = self.ngrams.table()
        self.table = self.add_weight(
            shape=table.shape,
            dtype="int8",
            trainable=False,
            initializer=lambda *_, **__: tf.constant(table),
            name="table",
        )

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        ids = tf.cast(ids, tf.int32)
        rows, columns = self.table.shape
        width = tf.shape(ids)[1]
        ended = tf.pad(ids, [[0, 0], [0, LONGEST - 1]])
        total = tf.zeros_like(ids)
        keys = []
        for order, places in enumerate(self.places):
            part = ended[:, order : order + width]
            total += tf.gather(places, part)
            # -1 is no n-gram.
            keys.append(tf.where(part > 0, tf.math.floormod(total, rows), -tf.ones_like(ids)))
        key = tf.sort(tf.concat(keys, axis=1), axis=1)
        before = tf.pad(key[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
        is_first = tf.cast(tf.not_equal(key, before), tf.float32)
        roots = tf.cast(tf.gather(self.table, tf.maximum(key, 0)), tf.float32)
        score = tf.reduce_sum(roots * tf.abs(roots) * is_first[:, :, None], axis=1)
        score = score * tf.constant(self.ngrams.scales) + tf.constant(self.ngrams.biases)
        return tf.concat([-score, score], axis=1) / 2 if columns == 1 else score

    def compute_output_shape(self, shape: Any) -> tuple:
        return shape[0], max(len(self.ngrams.scales), 2)


def mixture(logits: np.ndarray, ngrams: np.ndarray, numbers: np.ndarray) -> dict[str, float]:
    """What both are multiplied by before they are added, as held-out texts have it.

    Args:
        logits, ngrams: of the network and of the n-grams `[texts, classes]`.
        numbers: class numbers `[texts]`.

    Returns:
        The factors `network` and `ngrams`, not negative and of at most `MOST`,
        that make the classes most probable.
    """
    parts = np.stack([logits, ngrams]).astype(np.float64)
    index = np.arange(len(numbers))

    def cost(factors):
        mixed = np.tensordot(factors, parts, axes=1)
        shifted = mixed - mixed.max(axis=1, keepdims=True)
        log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        error = np.exp(log_probabilities)
        error[index, numbers] -= 1
        slope = np.einsum("knc,nc->k", parts, error) / len(index)
        return -log_probabilities[index, numbers].mean(), slope

    bounds = [(0.0, MOST)] * 2
    found = scipy.optimize.minimize(cost, [1.0, 1.0], jac=True, bounds=bounds, method="L-BFGS-B")
    network, wide = map(float, found.x)
    return {"network": network, "ngrams": wide}
