"""Rows of requests from files of every kind, for one field and for several."""

import json
import re

import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Array, Text
from rnnsuite.data import request_files

ONE = {"text": Text(meaning="a text")}
TWO = {
    "series": Array((None, 2), meaning="a series"),
    "scale": Array((), meaning="a factor"),
}


def rows(path, content, fields=None, columns=None):
    path.write_bytes(content)
    fields = fields or ONE
    with open(path, "rb") as stream:
        return list(request_files.read_rows(stream, path, fields, columns or {}))


def test_a_single_field_may_stand_bare(tmp_path):
    found = rows(tmp_path / "a.jsonl", b'"a"\n{"text": "b"}\n')
    assert [row.record for row in found] == [{"text": "a"}, {"text": "b"}]
    assert [row.shown for row in found] == ["a", "b"]
    assert [row.number for row in found] == [1, 2]


def test_several_fields_from_objects(tmp_path):
    content = json.dumps({"series": [[1, 2], [3, 4]], "scale": 2}).encode() + b"\n"
    (row,) = rows(tmp_path / "a.jsonl", content, TWO)
    np.testing.assert_array_equal(row.record["series"], [[1, 2], [3, 4]])
    assert row.record["scale"] == 2
    assert row.shown == {"series": [[1, 2], [3, 4]], "scale": 2}


def test_several_fields_from_a_table(tmp_path):
    content = b'series,scale\n"[[1, 2]]",0.5\n'
    (row,) = rows(tmp_path / "a.csv", content, TWO)
    assert row.record["series"].shape == (1, 2)
    assert row.record["scale"] == 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"series": [[1, 2]]}\n', "no 'scale'"),
        (b'{"series": [[1, 2], [3]], "scale": 1}\n', "series: rows of different lengths"),
        (b'{"series": [[1]], "scale": 1}\n', "series: .*shape"),
        (b'{"series": [[1, NaN]], "scale": 1}\n', "not finite"),
        (b'{"series": [[1, 2]], "scale": "x"}\n', "scale: "),
    ],
)
def test_a_bad_row_is_told_and_stops_nothing(tmp_path, content, said):
    good = b'{"series": [[1, 2]], "scale": 1}\n'
    bad, fine = rows(tmp_path / "a.jsonl", content + good, TWO)
    assert bad.record is None
    assert re.search(said, bad.fault)
    assert fine.record is not None


def test_other_columns(tmp_path):
    found = rows(tmp_path / "a.csv", b"id,review\n1,good\n", columns={"text": "review"})
    assert found[0].record == {"text": "good"}
    found = rows(tmp_path / "a.jsonl", b'{"review": "x", "text": "y"}\n', None, {"text": "review"})
    assert found[0].record == {"text": "x"}


def test_a_column_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"no column 'text'; it has id\. Name one with --field"):
        rows(tmp_path / "a.csv", b"id\n1\n")


def test_an_optional_field_needs_no_column_and_no_cell(tmp_path):
    fields = {**TWO, "beside": Array((None, None), optional=True)}
    (row,) = rows(tmp_path / "a.csv", b'series,scale\n"[[1, 2]]",3\n', fields)
    assert row.fault == ""
    assert row.record["beside"].shape == (0, 0)
    content = b'beside,series,scale\n,"[[1, 2]]",3\n"[[7]]","[[1, 2]]",3\n'
    first, second = rows(tmp_path / "b.csv", content, fields)
    assert first.record["beside"].shape == (0, 0)
    np.testing.assert_array_equal(second.record["beside"], [[7]])
    with pytest.raises(UserError, match="no column 'other'"):
        rows(tmp_path / "a.csv", b'series,scale\n"[[1, 2]]",3\n', fields, {"beside": "other"})
