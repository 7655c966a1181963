"""Answers as arrays, whatever their shapes, and as values for people."""

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.pipeline.inference.rows import gather, readable, write_table


def test_rows_of_one_shape_are_one_array():
    found = gather([{"y": np.ones(3)}, {"y": np.zeros(3)}])
    assert found["y"].shape == (2, 3)
    assert found["y"].dtype == float


def test_rows_of_other_shapes_are_objects():
    found = gather([{"y": np.ones(3)}, {"y": np.zeros(5)}])
    assert found["y"].dtype == object
    assert [row.shape for row in found["y"]] == [(3,), (5,)]


@pytest.mark.parametrize("rows", [[], [{}]])
def test_nothing(rows):
    assert gather(rows) == {}


def test_for_people_words_stand_before_numbers():
    answers = gather(
        [
            {
                "probabilities": np.array([0.25, 0.75]),
                "label": b"pos",
                "score": np.float32(0.5),
                "tokens": np.array([b"a", "é".encode()], object),
            }
        ]
    )
    found = readable(answers, 0)
    assert list(found) == ["label", "tokens", "score", "probabilities"]
    assert found["tokens"] == ["a", "é"]
    assert found["label"] == "pos"
    assert json.loads(json.dumps(found)) == found


def test_undecodable_bytes_are_shown_as_such():
    assert readable(gather([{"text": b"a\xff"}]), 0) == {"text": "a\ufffd"}


@given(st.lists(st.lists(st.floats(-9, 9), min_size=1, max_size=4), min_size=1, max_size=5))
def test_every_row_comes_back(rows):
    found = gather([{"y": np.array(row)} for row in rows])
    assert [readable(found, number)["y"] for number in range(len(rows))] == rows


LINES = [
    {"row": 0, "input": "x", "error": "no"},
    {"row": 1, "input": {"a": "x", "b": [1, 2]}, "label": "é", "probabilities": [0.5, 0.5]},
    {"row": 3, "input": None, "error": "not, UTF-8"},
    {"row": 4, "input": {"a": "two\nlines", "b": []}, "label": "z", "probabilities": [1.0, 0.0]},
]


@pytest.mark.parametrize(("name", "dialect"), [("a.csv", "excel"), ("a.tsv", "excel-tab")])
def test_answers_as_a_table(tmp_path, name, dialect):
    stored = io.BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in LINES))
    write_table(tmp_path / name, stored)
    with open(tmp_path / name, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, dialect=dialect))
    assert list(rows[0]) == ["row", "input", "a", "b", "label", "probabilities", "error"]
    assert rows[1]["b"] == "[1, 2]"
    assert rows[2]["error"] == "not, UTF-8"
    assert rows[2]["label"] == ""
    assert rows[3]["a"] == "two\nlines"
