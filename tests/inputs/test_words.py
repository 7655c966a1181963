"""Words and characters: the graph and the reference tokenizer give the same ids."""

import collections

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device.words import Tokenizer
from rnnsuite.inputs.words import END, RESERVED, UNKNOWN, Words, count_tokens, vocabulary

WORDS = (*RESERVED, "the", "cat", "sat", ",", ".", "don't", "é", "It")
CHARACTERS = (*RESERVED, "\n", " ", "a", "b", "é", "ß", "日")


def ids(words, *texts):
    return words(tf.constant(list(texts))).to_list()


class TestWords:
    def test_spaces_divide_and_lines_end(self):
        words = Words(WORDS, "words")
        assert ids(words, "the  cat\tsat\n\nthe") == [[4, 5, 6, END, END, 4]]
        assert ids(words, "", "   ", "\n") == [[], [], [END]]

    def test_an_unknown_word_is_divided_at_its_marks(self):
        words = Words(WORDS, "words")
        assert ids(words, "the cat, sat.") == [[4, 5, 7, 6, 8]]
        assert ids(words, "don't") == [[9]]  # known as it is
        assert ids(words, "can't") == [[UNKNOWN, UNKNOWN, UNKNOWN]]

    def test_written_unknown_and_end_are_those(self):
        assert ids(Words(WORDS, "words"), "the <unk> <eos>") == [[4, UNKNOWN, END]]

    def test_case_is_folded_where_wanted(self):
        assert ids(Words(WORDS, "words"), "The It") == [[UNKNOWN, 11]]
        assert ids(Words(WORDS, "words", lower=True), "THE Cat") == [[4, 5]]

    @pytest.mark.parametrize(("keep", "wanted"), [("first", [4, 5]), ("last", [6, 8])])
    def test_of_a_longer_text_the_first_or_the_last(self, keep, wanted):
        assert ids(Words(WORDS, "words", most=2, keep=keep), "the cat sat .") == [wanted]

    def test_and_back(self):
        words = Words(WORDS, "words")
        padded = tf.constant([[4, 5, END, 6, 0, 0], [UNKNOWN, 4, 0, 0, 0, 0]])
        assert words.text(padded).numpy().tolist() == [b"the cat\nsat", b"<unk> the"]
        assert words.added(tf.constant([5])).numpy().tolist() == [b" cat"]

    def test_invalid_bytes_are_unknown(self):
        assert ids(Words(WORDS, "words"), b"the \xff\xfe cat") == [[4, UNKNOWN, UNKNOWN, 5]]


class TestCharacters:
    def test_every_character_is_one(self):
        words = Words(CHARACTERS, "characters")
        assert ids(words, "ab\nba é") == [[6, 7, 4, 7, 6, 5, 8]]
        assert ids(words, "az") == [[6, UNKNOWN]]

    def test_and_back(self):
        words = Words(CHARACTERS, "characters")
        (row,) = ids(words, "a b\n日ß")
        assert words.text(tf.constant([row])).numpy()[0].decode() == "a b\n日ß"


TEXTS = st.text(alphabet=st.sampled_from("abéßIt日 ,.'\n\t\u00a0-thecats<>unk"), max_size=40)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.booleans(), st.sampled_from(["first", "last"]), st.integers(1, 30))
@pytest.mark.parametrize(("unit", "pieces"), [("words", WORDS), ("characters", CHARACTERS)])
def test_the_reference_tokenizer_gives_the_same_ids(unit, pieces, text, lower, keep, most):
    graph = Words(pieces, unit, lower, most, keep)
    reference = Tokenizer(list(pieces), unit, most, lower, keep)
    assert reference(text) == ids(graph, text)[0]
    assert reference(text.encode()) == reference(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(WORDS) - 1), max_size=12))
@pytest.mark.parametrize(("unit", "pieces"), [("words", WORDS), ("characters", CHARACTERS)])
def test_the_reference_tokenizer_gives_the_same_texts(unit, pieces, numbers):
    numbers = [number % len(pieces) for number in numbers]
    graph = Words(pieces, unit)
    reference = Tokenizer(list(pieces), unit, 50)
    padded = tf.constant([[*numbers, 0]])
    assert reference.text(numbers) == graph.text(padded).numpy()[0].decode()
    for number in numbers:
        assert reference.added(number) == graph.added(tf.constant([number])).numpy()[
            0
        ].decode() or (number == 0)


class TestVocabulary:
    def test_the_most_frequent_come_first(self):
        counts = collections.Counter({b"b": 3, b"a": 3, b"c": 5, b"d": 1, b"<unk>": 7})
        assert vocabulary(counts, 100, 1) == (*RESERVED, "c", "a", "b", "d")
        assert vocabulary(counts, 6, 1) == (*RESERVED, "c", "a")
        assert vocabulary(counts, 100, 2) == (*RESERVED, "c", "a", "b")

    def test_nothing_to_learn_from(self):
        with pytest.raises(ValueError, match="no words to learn a vocabulary from"):
            vocabulary(collections.Counter({b"<unk>": 3}), 10, 1)

    def test_counts_over_batches(self):
        batches = [tf.constant(["a b a", "c"]), tf.constant(["a\nb"])]
        counts = count_tokens(batches, "words", lower=False)
        assert counts == {b"a": 3, b"b": 2, b"c": 1}
        assert count_tokens(batches, "characters", lower=False)[b" "] == 2

    def test_a_line_end_is_a_character_but_no_word(self):
        batches = [tf.constant(["a\nb"])]
        for unit, known in (("words", False), ("characters", True)):
            pieces = vocabulary(count_tokens(batches, unit, lower=False), 10, 1)
            assert ("\n" in pieces) == known
            words = Words(pieces, unit)
            (row,) = ids(words, "a\nb")
            assert row == [pieces.index("a"), pieces.index("\n") if known else END, row[-1]]
            assert words.text(tf.constant([row])).numpy()[0] == b"a\nb"
