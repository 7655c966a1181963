"""Tables of every kind, with the dirt that people have in them."""

import json
import re

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rnnsuite.core.errors import UserError
from rnnsuite.data.notes import Skips
from rnnsuite.data.source_config import TableConfig
from rnnsuite.data.tables import table


def rows(path, content, on_error="error", keys=None, **options):
    path.write_bytes(content)
    skips = Skips(on_error)
    return list(table(path, TableConfig(**options), keys or {}, skips)), skips


def test_csv_with_quotes_bom_and_line_numbers(tmp_path):
    content = '\ufefftext,label\n"a, b",x\n"two\nlines",y\n'.encode()
    found, _ = rows(tmp_path / "a.csv", content)
    assert [row for _, row in found] == [
        {"text": "a, b", "label": "x"},
        {"text": "two\nlines", "label": "y"},
    ]
    assert [line for line, _ in found] == [2, 3]


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(UserError, match="is a folder, and a table is expected"):
        list(table(tmp_path, TableConfig(), {"data.text": "text"}, Skips("error")))


def test_a_table_without_a_header_line(tmp_path):
    found, _ = rows(tmp_path / "a.tsv", b"a\tb\nc\td\n", columns=("one", "two"))
    assert [row for _, row in found] == [{"one": "a", "two": "b"}, {"one": "c", "two": "d"}]


def test_objects_on_lines(tmp_path):
    found, _ = rows(tmp_path / "a.jsonl", b'{"text": "a"}\n\n{"text": "b", "n": 3}\n')
    assert found == [(1, {"text": "a"}), (3, {"text": "b", "n": 3})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b" \n\n", "is empty"),
        ("a.csv", "text\nö\n".encode() + b"\xff\n", "line 3: not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{\n', "line 2"),
        ("a.jsonl", b"[1]\n", "line 1"),
        ("a.jsonl", '{"text": "ö"}\n'.encode() + b'{"text": "\xff"}\n', "line 2: not UTF-8"),
        ("a.csv", b"text\na,b,c\n", "line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path, name, content, said):
    with pytest.raises(UserError, match=said):
        rows(tmp_path / name, content)


def test_bad_lines_are_counted_and_the_others_read(tmp_path, caplog):
    content = b'{"text": "a"}\n{\n[1]\n{"text": "\xff\xc3\x81"}\n{"text": "b"}\n'
    found, skips = rows(tmp_path / "a.jsonl", content, on_error="skip")
    assert [row["text"] for _, row in found] == ["a", "b"]
    assert skips.count == 3
    skips.report("a.jsonl")
    assert "a.jsonl: 3 bad records skipped" in caplog.text


KEYS = {"data.text": "text", "data.label": "label"}


def test_a_spreadsheets_table_needs_no_edit(tmp_path, caplog):
    """Semicolons, Windows-1252, other case, a header that stands twice, too many cells."""
    caplog.set_level("INFO")
    content = "Text ;LABEL\nschön, öde;gut\nText ;LABEL\na;b;c\nb;x\n".encode("cp1252")
    found, skips = rows(tmp_path / "a.csv", content, on_error="skip", keys=KEYS)
    assert found == [
        (2, {"text": "schön, öde", "label": "gut"}),
        (5, {"text": "b", "label": "x"}),
    ]
    assert [message.split(", ")[1] for message in skips.messages] == [
        "line 3: the header again.",
        "line 4: more cells than the 2 columns.",
    ]
    assert "read as cp1252 (data.encoding)" in caplog.text
    assert "the delimiter ';' (data.delimiter)" in caplog.text
    assert "rows that repeat the header are left out" in caplog.text


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({"delimiter": "#"}, b"text#label\na#b\n"),
        ({"encoding": "cp437"}, "text,label\na,b\n".encode("cp437")),
        ({"columns": ("text", "label")}, b"a;b\n"),
    ],
)
def test_what_is_said_is_not_guessed(tmp_path, options, content):
    found, _ = rows(tmp_path / "a.csv", content, keys=KEYS, **options)
    assert [row for _, row in found] == [{"text": "a", "label": "b"}]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "has no column 'label'; it has text, stars. Name it with --set data.label=COLUMN"),
        ({"encoding": "nonsense"}, "no encoding 'nonsense'"),
        ({"delimiter": "::"}, "must be one character"),
    ],
)
def test_what_a_table_lacks_is_named(tmp_path, options, said):
    with pytest.raises(UserError, match=re.escape(said)):
        rows(tmp_path / "a.csv", b"text,stars\na,5\n", keys=KEYS, **options)


def test_a_parquet_file(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"Text": ["a", "ö"], "label": [1, 2], "more": [None, 0.5]}
    parquet.write_table(pyarrow.table(columns), path)
    found = list(table(path, TableConfig(), KEYS, Skips("error")))
    assert found[1] == (2, {"text": "ö", "label": 2, "more": 0.5})
    with pytest.raises(UserError, match="no column 'stars'; it has Text, label, more"):
        list(table(path, TableConfig(), {"data.label": "stars"}, Skips("error")))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="it is no Parquet file"):
        list(table(path, TableConfig(), KEYS, Skips("error")))


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), texts, min_size=1), min_size=1))
def test_any_objects_come_back(tmp_path_factory, objects):
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    lines = (json.dumps(value) + "\n" for value in objects)
    path.write_text("".join(lines), encoding="utf-8")
    assert [row for _, row in table(path, TableConfig(), {}, Skips("error"))] == objects
