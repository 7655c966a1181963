"""Text to token ids as TensorFlow ops: one object for tf.data and for the exported graph."""

import collections
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

from rnnsuite.device.wordpiece import CONTINUATION, MAX_WORD_BYTES, PADDING, SPACES, UNKNOWN

_IDEOGRAPHS = r"\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{f900}-\x{faff}"
_KEPT = rf"[\p{{P}}\p{{S}}{_IDEOGRAPHS}]"
_DELIMITERS = r"[\p{Z}\p{C}]|" + _KEPT


def normalize(texts: tf.Tensor, lower: bool = True) -> tf.Tensor:
    """Strings to valid UTF-8 in NFKC, HTML line breaks to spaces, case folded where `lower`."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf_text.normalize_utf8(tf.strings.regex_replace(texts, SPACES, " "), "NFKC")
    return tf_text.case_fold_utf8(texts) if lower else texts


def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Normalised strings `[batch]` to words `[batch, (words)]`; punctuation marks are words."""
    return tf_text.regex_split(texts, _DELIMITERS, _KEPT)


def learn_vocabulary(texts: tf.data.Dataset, size: int, lower: bool = True) -> tuple[str, ...]:
    """Learns a WordPiece vocabulary. Deterministic.

    Source: the top-down learner of tensorflow-text (after Song et al., arXiv 2012.15524).

    Args:
        texts: scalar strings.
        size: pieces, about so many; the first two are padding (id 0) and unknown (id 1).
        lower: whether case is folded.

    Returns:
        Pieces in the order of their ids.

    Raises:
        ValueError: where there is nothing to learn from.
    """
    counts = collections.Counter()
    batch = tf.TensorSpec([None], tf.string)
    words_of = tf.function(
        lambda batch: split_words(normalize(batch, lower)).flat_values,
        input_signature=[batch],
        autograph=False,
    )
    for batch in texts.batch(256):
        counts.update(words_of(batch).numpy().tolist())
    words = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    decoded = [
        (word.decode("utf-8"), count) for word, count in words if len(word) <= MAX_WORD_BYTES
    ]
    if not decoded:
        raise ValueError("no words to learn a vocabulary from: every text is empty")
    return tuple(
        learner.learn(
            decoded,
            vocab_size=size,
            reserved_tokens=[PADDING, UNKNOWN],
            joiner=CONTINUATION,
            upper_thresh=10_000_000,
            lower_thresh=10,
        )
    )


class TextToIds(tf.Module):
    """Strings `[batch]` to ragged token ids `[batch, (tokens)]`, int32.

    Any bytes are answered: invalid UTF-8 becomes replacement characters, an empty text an empty
    row. `rnnsuite.device.wordpiece.Tokenizer` gives the same ids without TensorFlow.

    Args:
        vocabulary: pieces in the order of their ids.
        lower: whether case is folded.
        max_tokens: ids of a row at most; a longer text keeps its first and its last half.
    """

    def __init__(self, vocabulary: Sequence[str], lower: bool = True, max_tokens: int = 512):
        super().__init__()
        self.vocabulary = tuple(vocabulary)
        self.lower = lower
        self.max_tokens = max_tokens
        numbers = tf.range(len(self.vocabulary), dtype=tf.int64)
        pieces = tf.lookup.KeyValueTensorInitializer(tf.constant(self.vocabulary), numbers)
        self.table = tf.lookup.StaticHashTable(pieces, default_value=self.vocabulary.index(UNKNOWN))
        self.pieces = tf_text.WordpieceTokenizer(
            self.table,
            suffix_indicator=CONTINUATION,
            max_bytes_per_word=MAX_WORD_BYTES,
            token_out_type=tf.int64,
            unknown_token=UNKNOWN,
        )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        words = split_words(normalize(texts, self.lower))
        return self._ends(tf.cast(self.pieces.tokenize(words).merge_dims(-2, -1), tf.int32))

    def tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """The pieces of padded ids `[batch, tokens]`; padding is the empty string."""
        return tf.where(ids > 0, tf.gather(tf.constant(self.vocabulary), ids), "")

    def _ends(self, ids: tf.RaggedTensor) -> tf.RaggedTensor:
        tail = self.max_tokens // 2
        lengths = tf.gather(ids.row_lengths(), ids.value_rowids())
        position = tf.ragged.range(ids.row_lengths()).flat_values
        is_kept = (position < self.max_tokens - tail) | (position >= lengths - tail)
        return tf.ragged.boolean_mask(ids, ids.with_flat_values(is_kept))
