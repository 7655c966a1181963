"""Words and characters to ids and back as TensorFlow operations: the same in tf.data and in the
exported graph.
"""

import collections
from collections.abc import Iterable, Sequence
from typing import Literal

import tensorflow as tf

from rnnsuite.device.unigram import CHARACTERS, END, UNKNOWN
from rnnsuite.inputs.subword import Kept, limit, shorten

RESERVED = ("<pad>", "<unk>", "<start>", "<eos>")
"""The first four tokens: padding, unknown, start and end."""
NEWLINE = "\n"
_SPACES = r"[\t\r\f\v\p{Z}]+"
_MARKS = r"([\p{P}\p{S}])"


def split_words(texts: tf.Tensor, lower: bool) -> tf.RaggedTensor:
    """Strings `[batch]` at their spaces; a line end is a word of its own."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.lower(texts, encoding="utf-8") if lower else texts
    texts = tf.strings.regex_replace(texts, NEWLINE, " \n ")
    texts = tf.strings.regex_replace(tf.strings.regex_replace(texts, _SPACES, " "), "^ | $", "")
    words = tf.strings.split(texts, sep=" ")
    return tf.ragged.boolean_mask(words, words != "")


def split_characters(texts: tf.Tensor, lower: bool) -> tf.RaggedTensor:
    """Strings `[batch]` to their characters, invalid bytes as replacement characters."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.lower(texts, encoding="utf-8") if lower else texts
    return tf.strings.unicode_split(texts, "UTF-8")


SPLIT = {"words": split_words, "characters": split_characters}


def count_tokens(
    texts: Iterable[tf.Tensor], unit: Literal["words", "characters"], lower: bool
) -> collections.Counter:
    """How often each word or character occurs in batches of texts `[batch]`."""
    split = tf.function(
        lambda batch: SPLIT[unit](batch, lower).flat_values,
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    counts: collections.Counter = collections.Counter()
    for batch in texts:
        counts.update(split(batch).numpy().tolist())
    if unit == "words":
        counts.pop(NEWLINE.encode(), None)  # that is the end token
    return counts


def vocabulary(counts: collections.Counter, size: int, least: int) -> tuple[str, ...]:
    """The most frequent tokens, behind the four reserved ones.

    Args:
        counts: of all tokens. Written `<unk>` and `<eos>`, tokens are those of `RESERVED`.
        size: tokens at most, the reserved ones included.
        least: occurrences that a token must have.

    Returns:
        Tokens in the order of their frequency.

    Raises:
        ValueError: where there is none.
    """
    own = {name.encode() for name in RESERVED}
    ranked = sorted(
        ((-count, token) for token, count in counts.items() if token not in own and count >= least)
    )
    if not ranked:
        raise ValueError("no words to learn a vocabulary from: every text is empty")
    frequent = ranked[: size - len(RESERVED)]
    return (*RESERVED, *(token.decode("utf-8") for _, token in frequent))


class Words(tf.Module):
    """Strings `[batch]` to ragged ids `[batch, (ids)]`, int32; `text` turns back.

    Words stand between spaces, and a line end is the end token. A word that is not in the
    vocabulary is divided at its punctuation marks; what is still not in it is `UNKNOWN`.
    Characters are themselves, line ends included.

    Args:
        pieces: tokens in the order of their ids, see `vocabulary`.
        unit: what they are.
        lower: whether case is folded.
        most: ids of a row at most.
        keep: what of a longer text is read.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        unit: Literal["words", "characters"],
        lower: bool = False,
        most: int = 256,
        keep: Kept = "first",
    ):
        super().__init__()
        self.keep = keep
        self.pieces = tuple(pieces)
        self.unit = unit
        self.lower = lower
        self.most = most
        with tf.init_scope():  # in a graph it is kept once, however many signatures use it
            self._strings = tf.constant(self.pieces)
            numbers = tf.range(len(self.pieces))
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(self._strings, numbers), default_value=-1
        )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = shorten(texts, CHARACTERS * self.most, self.keep)
        tokens = SPLIT[self.unit](texts, self.lower)
        if self.unit == "words":
            is_known = self._numbers(tokens.flat_values) >= 0
            apart = tf.strings.regex_replace(tokens.flat_values, _MARKS, r" \1 ")
            apart = tf.strings.strip(tf.strings.regex_replace(apart, " +", " "))
            divided = tokens.with_flat_values(tf.where(is_known, tokens.flat_values, apart))
            parts = tf.strings.split(divided.flat_values, sep=" ")
            tokens = divided.with_flat_values(parts).merge_dims(1, 2)
        ids = self._numbers(tokens.flat_values)
        ids = tokens.with_flat_values(tf.where(ids < 0, UNKNOWN, ids))
        return limit(ids, self.most, self.keep)

    def _numbers(self, tokens: tf.Tensor) -> tf.Tensor:
        """Ids of tokens; -1 for what is not in the vocabulary."""
        ids = self.table.lookup(tokens)
        return tf.where(tokens == NEWLINE, END, ids) if self.unit == "words" else ids

    def text(self, ids: tf.Tensor) -> tf.Tensor:
        """Padded ids `[batch, length]` as strings `[batch]`; an end token is a line end."""
        is_shown = (ids == UNKNOWN) | (ids >= END)
        shown = tf.where(ids == END, NEWLINE, tf.gather(self._strings, ids))
        tokens = tf.ragged.boolean_mask(shown, is_shown)
        space = " " if self.unit == "words" else ""
        texts = tf.strings.reduce_join(tokens, axis=-1, separator=space)
        return tf.strings.regex_replace(texts, " ?\n ?", NEWLINE) if space else texts

    def tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """The pieces of ids `[...]`; padding is the empty string."""
        return tf.where(ids > 0, tf.gather(self._strings, ids), "")

    def added(self, token: tf.Tensor) -> tf.Tensor:
        """The text that tokens `[batch]` each add behind others."""
        space = " " if self.unit == "words" else ""
        return tf.strings.join([space, self.tokens(token)])
