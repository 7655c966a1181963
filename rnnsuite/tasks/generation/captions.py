"""Captions as training data: their vocabulary, and their ids before and at each step."""

import base64
import dataclasses
import logging
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data import suggestions
from rnnsuite.inputs.subword import END, START, Subwords, learn_subwords, normalize
from rnnsuite.tasks.sections import CaptionsConfig

log = logging.getLogger(__name__)
LONGEST = 1024
"""Tokens that are counted of a caption."""


@dataclasses.dataclass(frozen=True)
class Captions:
    """The vocabulary of captions, the part of `fitted` that every application with captions has.

    Args:
        model: the sentencepiece model, in base64.
        known: checksums of the training captions, in base64.
        max_tokens, lowercase: as the configuration has them.
    """

    model: str
    known: str
    max_tokens: int
    lowercase: bool

    def subwords(self, extra: int = 0) -> Subwords:
        """The vocabulary of captions. extra: subwords that are read beyond max_tokens."""
        return Subwords(base64.b64decode(self.model), self.max_tokens + extra)

    def knows(self, captions: Iterable[str]) -> list[bool]:
        """Whether each is a training caption, but for case, punctuation and spaces."""
        checksums = set(np.frombuffer(base64.b64decode(self.known), "<u4").tolist())
        return [checksum(caption) in checksums for caption in captions]

    def steps(self, subwords: Subwords, captions: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids before each step and at it, `[captions, ids]` each, 0 behind the end.

        Args:
            subwords: the vocabulary, with one subword extra.
            captions: strings `[n]`; those that are too long are left out.
        """
        ids = subwords(prepare(self.lowercase, captions))
        ids = tf.ragged.boolean_mask(ids, ids.row_lengths() < self.max_tokens)
        start = tf.fill([ids.nrows(), 1], START)
        end = tf.fill([ids.nrows(), 1], END)
        before = tf.concat([start, ids], axis=1).to_tensor()
        after = tf.concat([ids, end], axis=1).to_tensor()
        return tf.ensure_shape(before, [None, None]), tf.ensure_shape(after, [None, None])


def checksum(caption: str) -> int:
    """Of a caption's letters and digits."""
    letters = "".join(character for character in caption.lower() if character.isalnum())
    return zlib.crc32(letters.encode())


def fit_captions(config: CaptionsConfig, records: tf.data.Dataset) -> Captions:
    """The subword vocabulary of the training captions.

    Args:
        config: the data section.
        records: with `captions` `[n]`.

    Raises:
        UserError: without any words.
    """
    texts = records.map(lambda record: record["captions"][: config.most_captions]).unbatch()
    captions = [
        text.decode()
        for batch in texts.batch(4096)
        for text in prepare(config.lowercase, batch).numpy()
    ]
    try:
        model = learn_subwords(captions, config.vocabulary_size, "bpe")
    except ValueError as error:
        raise UserError(f"{config.source}: {error}.") from error
    checksums = np.unique(np.array([checksum(caption) for caption in captions], "<u4")).tobytes()
    fitted = Captions(
        base64.b64encode(model).decode(),
        base64.b64encode(checksums).decode(),
        config.max_tokens,
        config.lowercase,
    )
    _report(config, fitted, captions)
    return fitted


def _report(config: CaptionsConfig, fitted: Captions, captions: Sequence[str]) -> None:
    subwords = dataclasses.replace(fitted, max_tokens=LONGEST).subwords()
    log.info("%d subwords, %d different captions.", len(subwords.pieces), len(set(captions)))
    parts = np.array_split(captions, -(-len(captions) // 4096))
    counts = [subwords(tf.constant(part)).row_lengths().numpy() for part in parts]
    # A caption has its end in addition.
    longest = np.concatenate(counts) + 1
    suggestions.say_longer(longest, config.max_tokens, "captions", "left out")


def prepare(lowercase: bool, captions: tf.Tensor) -> tf.Tensor:
    """Captions as they are learned and written."""
    texts = normalize(captions)
    return tf.strings.lower(texts, encoding="utf-8") if lowercase else texts


def dense(captions: Any) -> tf.Tensor:
    """Captions `[n]` of a record whose number differs from the others'."""
    return captions.to_tensor() if isinstance(captions, tf.RaggedTensor) else captions


def has_captions(inputs: Any, targets: tf.Tensor) -> tf.Tensor:
    """Whether any caption of an example is left."""
    return tf.shape(targets)[0] > 0
