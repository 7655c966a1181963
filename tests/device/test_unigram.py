"""The reference subword tokenizer by itself; that it equals the graph's, tests/inputs says."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.device.unigram import PENALTY, SPACE, Tokenizer, normalize

PIECES = ["<pad>", "<unk>", "<s>", "</s>", SPACE, "a", "b", "ab", f"{SPACE}a", "bab"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.5, -4.0, -3.25, -5.0]


@pytest.fixture
def tokenizer():
    return Tokenizer(PIECES, SCORES, 50)


def best_by_enumeration(text):
    """The greatest sum of scores over every way to cut `text`."""
    known = dict(zip(PIECES[4:], SCORES[4:], strict=True))
    unknown = min(known.values()) - float(PENALTY)
    best = -np.inf
    for cuts in itertools.product([False, True], repeat=max(len(text) - 1, 0)):
        places = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(text)]
        pieces = [text[a:b] for a, b in itertools.pairwise(places)]
        if all(piece in known or len(piece) == 1 for piece in pieces):
            best = max(best, sum(known.get(piece, unknown) for piece in pieces))
    return best


@given(st.text(alphabet="ab c", min_size=1, max_size=8))
def test_no_cut_is_more_probable(text):
    tokenizer = Tokenizer(PIECES, SCORES, 50)
    joined = "".join(SPACE + word for word in normalize(text))
    numbers = tokenizer._best(joined)
    unknown = float(tokenizer.unknown)
    total = sum(SCORES[number] if number > 3 else unknown for number in numbers)
    assert total == pytest.approx(best_by_enumeration(joined) if joined else 0)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a", [f"{SPACE}a"]),
        ("bab", [SPACE, "bab"]),
        ("cc", [SPACE, "<unk>"]),  # unknown characters in a row are one
        ("a\u00a0a\n\na", [f"{SPACE}a"] * 3),
        ("", []),
    ],
)
def test_the_most_probable_pieces(tokenizer, text, pieces):
    assert [PIECES[number] for number in tokenizer(text)] == pieces


def test_pieces_become_text_again(tokenizer):
    assert tokenizer.text(tokenizer("a bab ab")) == "a bab ab"
    assert tokenizer.text([2, 8, 1, 5, 3, 0]) == "a \u2047 a"
    assert tokenizer(b"a \xff") == [*tokenizer("a"), PIECES.index(SPACE), 1]


def test_a_text_is_cut_at_its_bound():
    assert len(Tokenizer(PIECES, SCORES, 3)("a a a a a a")) == 3


def test_from_a_file(tmp_path, tokenizer):
    path = tmp_path / "vocabulary.txt"
    rows = zip(PIECES, SCORES, strict=True)
    path.write_text("".join(f"{piece}\t{score}\n" for piece, score in rows), encoding="utf-8")
    assert Tokenizer.load(path, 50)("ab bab a") == tokenizer("ab bab a")
