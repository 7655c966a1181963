"""Subwords in the graph and by the reference tokenizer: the same ids, and the text again."""

import struct
import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnsuite.device.unigram import END, PADDING, START, UNKNOWN, Tokenizer
from rnnsuite.device.unigram import normalize as reference_normalize
from rnnsuite.inputs.subword import Subwords, learn_subwords, normalize

CORPUS = [
    "Ein kleiner Hund läuft durch den großen Garten.",
    "Zwei Männer sehen die kleine Katze im Garten an.",
    "Der Garten des Mannes ist groß, der Hund ist klein!",
    "Die Männer laufen; die Hunde laufen; wer läuft nicht?",
] * 6
MOST = 40


@pytest.fixture(scope="module")
def model():
    return learn_subwords(CORPUS, 90)


@pytest.fixture(scope="module")
def both(model):
    graph = Subwords(model, MOST)
    return graph, Tokenizer(list(graph.pieces), list(graph.scores), MOST)


def test_the_vocabulary_is_deterministic_and_begins_with_the_four(model):
    assert learn_subwords(CORPUS, 90) == model
    pieces = Subwords(model).pieces
    assert len(pieces) <= 90
    assert len(set(pieces)) == len(pieces)
    assert (PADDING, UNKNOWN, START, END) == (0, 1, 2, 3)
    assert pieces[UNKNOWN] == "<unk>"
    assert "▁" in "".join(pieces[4:])


def test_a_corpus_that_needs_fewer_pieces_gets_fewer():
    assert len(Subwords(learn_subwords(["ab ab"] * 3, 500)).pieces) < 20


@pytest.mark.parametrize("texts", [[], ["", "  "]])
def test_nothing_to_learn_from(texts):
    with pytest.raises(ValueError, match="every text is empty"):
        learn_subwords(texts, 90)


def test_text_comes_back(both):
    graph, tokenizer = both
    ids = graph(tf.constant(CORPUS[:4]))
    assert [text.decode() for text in graph.text(ids.to_tensor()).numpy()] == CORPUS[:4]
    assert [tokenizer.text(row) for row in ids.to_list()] == CORPUS[:4]


def test_start_end_and_padding_are_no_part_of_a_text(both):
    graph, tokenizer = both
    ids = [START, *tokenizer("der Hund"), END, PADDING, PADDING]
    assert graph.text(tf.constant([ids])).numpy()[0] == b"der Hund"
    assert tokenizer.text(ids) == "der Hund"
    assert graph.tokens(tf.constant([0, START])).numpy().tolist() == [b"", b"<s>"]


def test_a_seed_takes_no_tokenizer_away(model):
    """TensorFlow forgets all operations then, and what belongs to them."""
    subwords = Subwords(model)
    text = tf.constant(["two dogs"])
    before = subwords(text).to_list()
    tf.random.set_seed(1)
    assert subwords(text).to_list() == before


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=9))
def test_any_ids_read_the_same(both, ids):
    """Also those that no text is divided into, which a model may write."""
    graph, tokenizer = both
    ids = [number % len(graph.pieces) for number in ids]
    expected = graph.text(tf.constant([ids], tf.int32, [1, len(ids)])).numpy()[0].decode()
    assert tokenizer.text(ids) == expected


ALPHABET = "aeiouHMGKläößnrt dst.,;!?\u2581\u00a0\t\n\u3000\u0000\u0007日本ß\u0301\ufb01<s>/"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=60))
def test_the_reference_gives_the_same_ids_and_texts(both, text):
    graph, tokenizer = both
    ids = graph(tf.constant([text])).to_list()[0]
    assert tokenizer(text) == ids
    assert (
        tokenizer.text(ids)
        == graph.text(tf.constant([ids], tf.int32, [1, len(ids)])).numpy()[0].decode()
    )


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=30))
def test_any_bytes_are_answered_alike(both, content):
    graph, tokenizer = both
    assert tokenizer(content) == graph(tf.constant([content])).to_list()[0]


def test_what_divides_words_is_the_same_on_both_sides():
    characters = [
        chr(n) for n in range(0x30000) if unicodedata.category(chr(n)) in ("Cc", "Zs", "Zl", "Zp")
    ]
    given = [f"a{character}b" for character in characters]
    found = [text.decode() for text in normalize(tf.constant(given)).numpy()]
    assert found == [" ".join(reference_normalize(text)) for text in given] == ["a b"] * len(given)


def test_a_long_text_is_cut_and_unknown_characters_in_a_row_are_one(both):
    graph, tokenizer = both
    for long in ("Hund " * 1000, "x" * 100_000, "Hund" * 30_000):
        ids = graph(tf.constant([long])).to_list()[0]
        assert tokenizer(long) == ids
        assert len(ids) == (2 if long[0] == "x" else MOST)
    assert tokenizer("日本語").count(UNKNOWN) == 1


def test_no_texts_at_all(both):
    assert both[0](tf.constant([], tf.string)).shape[0] == 0
    assert both[0](tf.constant([""])).to_list() == [[]]
    assert both[1]("") == []
    assert both[0].text(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [b"", b""]


def test_the_reference_loads_what_is_written(both, tmp_path):
    graph, tokenizer = both
    lines = (
        f"{piece}\t{score:.9g}\n" for piece, score in zip(graph.pieces, graph.scores, strict=True)
    )
    (tmp_path / "v.tsv").write_text("".join(lines), encoding="utf-8")
    loaded = Tokenizer.load(tmp_path / "v.tsv", MOST)
    assert loaded.numbers == tokenizer.numbers
    assert isinstance(loaded.unknown, np.float32)


def varint(number):
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number, value):
    """A field of a protocol buffer's message (its encoding, protobuf.dev)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


KINDS = {"unknown": 2, "control": 3}


def handmade(pieces):
    """A sentencepiece model of these pieces, which need not have every character.

    Without its own classes, which not every version of protobuf can load.
    """
    names = {"<pad>": "control", "<unk>": "unknown", "<s>": "control", "</s>": "control"}
    entries = [
        *(
            field(1, name.encode()) + field(2, 0.0) + field(3, KINDS[kind])
            for name, kind in names.items()
        ),
        *(field(1, piece.encode()) + field(2, float(score)) for piece, score in pieces),
    ]
    # A unigram model; unknown, begin, end and padding are the pieces 1, 2, 3 and 0.
    trainer = b"".join(field(n, value) for n, value in ((3, 1), (40, 1), (41, 2), (42, 3), (43, 0)))
    normalizer = field(1, b"identity")
    return b"".join(field(1, entry) for entry in entries) + field(2, trainer) + field(3, normalizer)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet="ab\u2581", min_size=1, max_size=3),
        st.integers(-9, -1),
        min_size=1,
        max_size=9,
    ),
    st.text(alphabet="abc ", max_size=9),
)
@example(
    {"ab": -9, "cd": -9, "bcd": -1}, "abcd"
)  # an unknown character costs 10 more than the worst piece
def test_the_reference_agrees_for_any_pieces_with_ties_and_unknown_characters(pieces, text):
    graph = Subwords(handmade(sorted(pieces.items())), MOST)
    tokenizer = Tokenizer(list(graph.pieces), list(graph.scores), MOST)
    assert tokenizer(text) == graph(tf.constant([text])).to_list()[0]
