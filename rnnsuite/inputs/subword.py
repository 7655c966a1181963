"""Text to subword ids and back as TensorFlow ops: one object for tf.data and for the exported
graph.
"""

import hashlib
import io
from collections.abc import Iterable
from typing import Literal

import sentencepiece
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_text.python.ops import sentencepiece_tokenizer

from rnnsuite.device.unigram import CHARACTERS, END, PADDING, SPACE, START, UNKNOWN


def normalize(texts: tf.Tensor, lower: bool = False) -> tf.Tensor:
    """Strings `[...]` to valid UTF-8 in NFKC, with one space for controls and all spaces.

    lower: whether case is folded, too.
    """
    texts = tf.strings.unicode_transcode(
        texts, "UTF-8", "UTF-8", errors="replace", replace_control_characters=False
    )
    texts = tf.strings.regex_replace(
        tf_text.normalize_utf8(texts, "NFKC"), rf"[\p{{Cc}}\p{{Z}}{SPACE}]+", " "
    )
    texts = tf_text.case_fold_utf8(texts) if lower else texts
    return tf.strings.strip(texts)


def learn_subwords(
    texts: Iterable[str], size: int, kind: Literal["unigram", "bpe"] = "unigram"
) -> bytes:
    """Trains a sentencepiece model. Deterministic.

    Texts are taken as they are: normalise them as `Subwords` does.

    Args:
        texts: what to learn from.
        size: pieces at most; the first four are padding, unknown, start and end.
        kind: a unigram language model over pieces (Kudo, arXiv 1804.10959), or byte-pair encoding
            (Sennrich et al., arXiv 1508.07909), in which every frequent word becomes one piece
            however few words there are.

    Returns:
        The serialised model.

    Raises:
        ValueError: where there is nothing to learn from.
    """
    lines = [text for text in texts if text.strip()]
    if not lines:
        raise ValueError("no words to learn subwords from: every text is empty")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=size,
        hard_vocab_limit=False,
        model_type=kind,
        normalization_rule_name="identity",
        character_coverage=1.0,
        num_threads=1,
        max_sentence_length=1 << 16,
        pad_id=PADDING,
        unk_id=UNKNOWN,
        bos_id=START,
        eos_id=END,
        minloglevel=2,
    )
    return model.getvalue()


Kept = Literal["first", "last", "ends"]
"""What of a long text is read: its first, its last, or its first half and its last half."""


def shorten(texts: tf.Tensor, characters: int, keep: Kept) -> tf.Tensor:
    """So many characters of strings of valid UTF-8 `[...]`."""
    if characters >= 2**31:
        return texts
    size = tf.strings.length(texts, unit="UTF8_CHAR")
    if keep == "ends":
        tail = characters // 2
        first = shorten(texts, characters - tail, "first")
        rest = tf.maximum(size - (characters - tail), 0)
        start = size - tf.minimum(rest, tail)
        last = tf.strings.substr(texts, start, tf.fill(tf.shape(size), tail), unit="UTF8_CHAR")
        return tf.strings.join([first, last])
    start = tf.maximum(size - characters, 0) if keep == "last" else tf.zeros_like(size)
    return tf.strings.substr(texts, start, tf.fill(tf.shape(size), characters), unit="UTF8_CHAR")


def limit(ids: tf.RaggedTensor, most: int, keep: Kept) -> tf.RaggedTensor:
    """At most so many ids of every row."""
    if keep == "ends":
        tail = most // 2
        return tf.concat([ids[:, : most - tail], ids[:, most - tail :][:, -tail:]], axis=1)
    return ids[:, -most:] if keep == "last" else ids[:, :most]


class _Kept(sentencepiece_tokenizer._SentencepieceModelResource):
    """A tokenizer's memory, which lasts: by itself it goes with the operation that made it, and so
    when TensorFlow forgets all operations, as it does when a seed is set.
    """

    def __init__(self, model: bytes):
        super().__init__(model, "subwords")

    def _create_resource(self):
        # In one session the same name is the same memory: it must be the content's.
        name = f"subwords_{hashlib.sha256(self._model).hexdigest()}"
        make = sentencepiece_tokenizer.gen_sentencepiece_tokenizer.sentencepiece_op
        return make(model=self._model, shared_name=name)


class Subwords(tf.Module):
    """Strings `[batch]` to ragged subword ids `[batch, (ids)]`, int32; `text` turns back.

    Any bytes are answered: what is no UTF-8 becomes replacement characters, unknown characters
    become `UNKNOWN`, an empty text an empty row. `rnnsuite.device.unigram.Tokenizer` gives the same
    ids without TensorFlow.

    Args:
        model: as `learn_subwords` gives it.
        most: ids of a row at most.
        lower: whether case is folded.
        keep: what of a longer text is read.
    """

    def __init__(
        self,
        model: bytes,
        most: int = 256,
        lower: bool = False,
        keep: Kept = "first",
    ):
        super().__init__()
        self.most = most
        self.lower = lower
        self.keep = keep
        self.tokenizer = tf_text.SentencepieceTokenizer(model=model, out_type=tf.int32)
        self.tokenizer._model_resource = _Kept(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.pieces = tuple(
            processor.id_to_piece(number) for number in range(processor.get_piece_size())
        )
        with tf.init_scope():  # in a graph it is kept once, however many signatures use it
            self._strings = tf.constant(self.pieces)
        self.scores = tuple(
            processor.get_score(number) for number in range(processor.get_piece_size())
        )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        read = shorten(normalize(texts, self.lower), CHARACTERS * self.most, self.keep)
        return limit(self.tokenizer.tokenize(read), self.most, self.keep)

    def text(self, ids: tf.Tensor) -> tf.Tensor:
        """Padded ids `[batch, length]` as strings `[batch]`, without padding, start and end."""
        words = tf.ragged.boolean_mask(ids, (ids == UNKNOWN) | (ids > END))
        return self.tokenizer.detokenize(words)

    def tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """The pieces of ids `[...]`; padding is the empty string."""
        return tf.where(ids > PADDING, tf.gather(self._strings, ids), "")

    def added(self, token: tf.Tensor) -> tf.Tensor:
        """The text that tokens `[batch]` each add behind others."""
        return tf.strings.regex_replace(self.tokens(token), SPACE, " ")
