"""Encodings and delimiters that people's files have, found by looking."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.encodings import (
    find_delimiter,
    find_encoding,
    is_undecodable,
    known_encoding,
    text_lines,
)

TEXT = "text;label\nschöner Film;gut\nlangweilig, öde;schlecht\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_found_and_the_text_read(encoding):
    stream = io.BytesIO(TEXT.encode(encoding))
    found = find_encoding(stream)
    assert found == encoding
    with text_lines(stream, found) as lines:
        assert "".join(lines) == TEXT
    assert not stream.closed


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (b"plain\n", "utf-8"),
        ("ö\n".encode() + b"\xff\n", "utf-8"),  # one damaged line of UTF-8
        (b"\xff\n" + "ö\n".encode(), "utf-8"),
        (b"caf\xe9\n", "cp1252"),
        (b"\x81\n", "utf-8"),  # which Windows-1252 has not
    ],
)
def test_what_decides(content, encoding):
    assert find_encoding(io.BytesIO(content)) == encoding


def test_a_damaged_line_does_not_lose_the_others():
    with text_lines(io.BytesIO("ö\n".encode() + b"\xff\nb\n"), "utf-8") as lines:
        assert [is_undecodable(line) for line in lines] == [False, True, False]


def test_an_encoding_that_nobody_knows():
    with pytest.raises(UserError, match="no encoding 'utf-99'"):
        known_encoding("utf-99")


@pytest.mark.parametrize(
    ("head", "wanted", "delimiter"),
    [
        ("text,label\na,b\n", [], ","),
        ("text;label\na, or b;c\n", [], ";"),
        ("Text;Label\n", ["text", "label"], ";"),
        ("text\tlabel\na;b\tc\n", [], "\t"),
        ("image_name| comment\na.jpg| a, b\n", [], "|"),
        ("text\na, b; c\nd, e; f\n", ["text"], ","),  # one column
        ('text;label\n"a;b";c\n', [], ";"),
        ("", [], ","),
    ],
)
def test_the_delimiter_is_found(head, wanted, delimiter):
    assert find_delimiter(head, wanted) == delimiter


cells = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=9), st.sampled_from(",;\t|"))
def test_any_table_of_plain_cells(rows, delimiter):
    head = "".join(delimiter.join(row) + "\n" for row in rows)
    assert find_delimiter(head) == delimiter
