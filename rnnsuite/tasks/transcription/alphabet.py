"""The symbols that a transcript is written with, and where its words begin."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.inputs.subword import Subwords
from rnnsuite.inputs.words import RESERVED, Words

SPACE = "\u2581"
"""Before the first piece of a word, among subwords."""
NEVER = -1e9
"""Logarithm of next to no probability."""


@dataclasses.dataclass(frozen=True)
class Alphabet:
    """Symbols, of which 0 is the blank and the other reserved ones are never written.

    Args:
        vocabulary: texts to numbers and back.
    """

    vocabulary: Words | Subwords

    @property
    def pieces(self) -> tuple[str, ...]:
        """Every symbol as text, in the order of its number."""
        return tuple(self.vocabulary.pieces)

    @property
    def is_subwords(self) -> bool:
        return isinstance(self.vocabulary, Subwords)

    @property
    def separator(self) -> int | None:
        """The symbol between words; None where their first symbols tell them apart."""
        return self.pieces.index(" ") if " " in self.pieces and not self.is_subwords else None

    @property
    def is_written(self) -> np.ndarray:
        """Booleans `[symbols]`: false for the reserved ones but the blank."""
        numbers = np.arange(len(self.pieces))
        return (numbers == 0) | (numbers >= len(RESERVED))

    @property
    def begins(self) -> np.ndarray:
        """Booleans `[symbols]`: whether a word begins behind, or with, this symbol."""
        if self.is_subwords:
            return np.array([piece.startswith(SPACE) for piece in self.pieces])
        return np.arange(len(self.pieces)) == (-1 if self.separator is None else self.separator)

    @property
    def has_letters(self) -> np.ndarray:
        """Booleans `[symbols]`: whether a word has more than its beginning from this symbol."""
        space = SPACE if self.is_subwords else " "
        return self.is_written & np.array([bool(piece.strip(space)) for piece in self.pieces])

    def log_probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Logits `[..., symbols]` as logarithms of probabilities, `NEVER` of reserved symbols."""
        barred = tf.constant(np.where(self.is_written, 0.0, NEVER), tf.float32)
        return tf.nn.log_softmax(tf.cast(logits, tf.float32) + barred)

    def text(self, ids: tf.Tensor) -> tf.Tensor:
        """Padded numbers `[batch, symbols]` as texts, spaces single."""
        texts = tf.strings.strip(self.vocabulary.text(ids))
        return tf.strings.regex_replace(texts, " +", " ")

    def words(self, ids: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> dict[str, Any]:
        """The words of texts, and where each stands.

        Args:
            ids: `[batch, symbols]`, 0 behind a row's last.
            first, last: the steps of every symbol.

        Returns:
            Ragged `[batch, (words)]`: `words`, `first` and `last`, the steps of their first and
            last symbols.
        """
        is_symbol = ids != 0
        begins = tf.gather(self.begins, ids) & is_symbol
        is_letter = tf.gather(self.has_letters, ids) & is_symbol
        is_first = is_letter & (begins | tf.logical_not(_shifted(is_letter)))
        goes_on = tf.pad(is_letter & ~is_first, [[0, 0], [0, 1]])[:, 1:]
        is_last = is_letter & tf.logical_not(goes_on)
        if self.is_subwords:  # a word's mark that stands by itself before it belongs to it
            is_marked = ~begins & _shifted(begins & ~is_letter)
            first = tf.where(is_marked, _shifted(first), first)
        return {
            "words": tf.strings.split(self.text(ids)),
            "first": tf.ragged.boolean_mask(first, is_first),
            "last": tf.ragged.boolean_mask(last, is_last),
        }


def _shifted(values: tf.Tensor) -> tf.Tensor:
    """`[batch, symbols]`, of each symbol what the one before it has."""
    return tf.pad(values, [[0, 0], [1, 0]])[:, :-1]
