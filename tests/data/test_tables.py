"""Tables of every kind, with the dirt that people have in them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.data.tables import Skips, table


def rows(path, content, columns=(), on_error="error"):
    path.write_bytes(content)
    skips = Skips(on_error)
    return list(table(path, columns, skips)), skips


def test_csv_with_quotes_bom_and_line_numbers(tmp_path):
    content = '\ufefftext,label\n"a, b",x\n"two\nlines",y\n'.encode()
    found, _ = rows(tmp_path / "a.csv", content)
    assert [row for _, row in found] == [
        {"text": "a, b", "label": "x"},
        {"text": "two\nlines", "label": "y"},
    ]
    assert found[0][0] == 2


def test_a_table_without_a_header_line(tmp_path):
    found, _ = rows(tmp_path / "a.tsv", b"a\tb\nc\td\n", ("one", "two"))
    assert [row for _, row in found] == [{"one": "a", "two": "b"}, {"one": "c", "two": "d"}]


def test_objects_on_lines(tmp_path):
    found, _ = rows(tmp_path / "a.jsonl", b'{"text": "a"}\n\n{"text": "b", "n": 3}\n')
    assert found == [(1, {"text": "a"}), (3, {"text": "b", "n": 3})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", b"text\n\xff\n", "line 2: not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{\n', "line 2"),
        ("a.jsonl", b"[1]\n", "line 1"),
        ("a.jsonl", b'{"text": "\xff"}\n', "line 1: not UTF-8"),
        ("a.csv", b"text\na,b,c\n", "line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path, name, content, said):
    with pytest.raises(UserError, match=said):
        rows(tmp_path / name, content)


def test_bad_lines_are_counted_and_the_others_read(tmp_path, caplog):
    content = b'{"text": "a"}\n{\n[1]\n{"text": "\xff"}\n{"text": "b"}\n'
    found, skips = rows(tmp_path / "a.jsonl", content, on_error="skip")
    assert [row["text"] for _, row in found] == ["a", "b"]
    assert skips.count == 3
    skips.report("a.jsonl")
    assert "a.jsonl: 3 bad records skipped" in caplog.text


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), texts, min_size=1), min_size=1))
def test_any_objects_come_back(tmp_path_factory, objects):
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    lines = (json.dumps(value) + "\n" for value in objects)
    path.write_text("".join(lines), encoding="utf-8")
    assert [row for _, row in table(path, (), Skips("error"))] == objects
