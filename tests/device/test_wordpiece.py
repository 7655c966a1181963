"""The reference WordPiece tokenizer by itself; that it equals the graph's, tests/inputs says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.device.wordpiece import PADDING, UNKNOWN, Tokenizer, normalize, split_words

PIECES = [PADDING, UNKNOWN, "un", "##want", "##ed", "want", "##w", "a", "b", "!", "é", "##a"]


@pytest.fixture
def tokenizer():
    return Tokenizer(PIECES)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("unwanted", ["un", "##want", "##ed"]),
        ("UNWANTED", ["un", "##want", "##ed"]),
        ("want!ed", ["want", "!", UNKNOWN]),
        ("unwx", [UNKNOWN]),  # a word is covered whole or not at all
        ("unw", ["un", "##w"]),
        ("a<br />b<BR>a", ["a", "b", "a"]),
        ("a\0b", ["a", "b"]),
        ("e\u0301", ["é"]),
        ("a\u200bb", [UNKNOWN]),  # an ignorable character divides nothing
        ("", []),
        (" \t\n", []),
        ("a" * 101, [UNKNOWN]),
    ],
)
def test_longest_pieces_first(tokenizer, text, pieces):
    assert [PIECES[number] for number in tokenizer(text)] == pieces


def test_a_long_text_keeps_both_ends():
    tokenizer = Tokenizer(PIECES, max_tokens=5)
    text = "a a a b b b b ! ! !"
    assert [PIECES[number] for number in tokenizer(text)] == ["a", "a", "a", "!", "!"]


def test_case_can_be_kept():
    assert Tokenizer([PADDING, UNKNOWN, "a", "A"], lower=False)("A a") == [3, 2]
    assert normalize("ǅ\u00adx") == "džx"
    assert normalize("A", lower=False) == "A"


def test_bytes_that_are_no_utf_8_are_read(tokenizer):
    assert tokenizer(b"a \xff b") == [PIECES.index("a"), 1, PIECES.index("b")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't", ["don", "'", "t"]),
        ("3 €", ["3", "€"]),
        ("漢字 かな", ["漢", "字", "かな"]),
        ("\ufa10x", ["\ufa10", "x"]),
        ("--", ["-", "-"]),
    ],
)
def test_words_marks_and_ideographs(text, words):
    assert split_words(text) == words


def test_from_a_folder(tmp_path):
    (tmp_path / "vocabulary.txt").write_text("".join(f"{piece}\n" for piece in PIECES))
    (tmp_path / "tokenizer.json").write_text(json.dumps({"lower": True, "max_tokens": 2}))
    assert len(Tokenizer.load(tmp_path)("a b a")) == 2


@given(st.text(max_size=40))
def test_any_text_gives_known_ids(text):
    ids = Tokenizer(PIECES, max_tokens=8)(text)
    assert len(ids) <= 8
    assert all(0 < number < len(PIECES) for number in ids)
