"""Requests of every shape, written in every way."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import (
    Array,
    File,
    Text,
    group_by_shape,
    record_from_cells,
    record_from_json,
    record_from_text,
)

SERIES = Array((None, 2), meaning="a series")
FIELDS = {"series": SERIES, "days": Array((None,), "int32"), "name": Text()}


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32)), min_size=1)
)
def test_an_array_is_read_from_a_cell_as_from_json(rows):
    text = json.dumps(rows)
    np.testing.assert_array_equal(SERIES.parse(text), SERIES.accept(json.loads(text)))
    np.testing.assert_array_equal(SERIES.parse(text), np.array(rows, np.float32))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (SERIES, [[1, 2], [3]], "rows of different lengths"),
        (SERIES, [1, 2], r"numbers of shape \[\?, 2\] expected, not the shape \[2\]"),
        (SERIES, [["a", "b"]], "expected, not a list"),
        (SERIES, "abc", "expected, not a string"),
        (SERIES, True, "expected, not true or false"),
        (SERIES, None, "expected, not null"),
        (SERIES, [[float("nan"), 1.0]], "not finite"),
        (Array((), "int32"), 1.5, "one number expected"),
        (Array((), "int8"), 300, "out of the range of int8"),
        (Array((3,)), [1, 2], r"numbers of shape \[3\] expected"),
        (Text(), 5, "a text is expected, not a number"),
        (File(lambda path: b""), {}, "the path of a file is expected, not an object"),
    ],
)
def test_unfit_values_are_named(field, value, message):
    with pytest.raises(UserError, match=message):
        field.accept(value)


def test_numbers_between_commas():
    np.testing.assert_array_equal(Array((None,)).parse("1, 2.5,3"), np.float32([1, 2.5, 3]))
    with pytest.raises(UserError, match=r"is not JSON: write \[1.5\]"):
        Array((None,)).parse("one")


def test_records_with_several_fields():
    value = {"series": [[1, 2]], "days": [1], "name": "x", "more": 1}
    for record in (record_from_json(FIELDS, value), record_from_text(FIELDS, json.dumps(value))):
        assert record.keys() == FIELDS.keys()
        assert record["days"].dtype == np.int32
    cells = {"series": "[[1, 2]]", "days": "1", "name": "x"}
    assert record_from_cells(FIELDS, cells)["series"].shape == (1, 2)
    with pytest.raises(UserError, match=r"days: .* write \[3\]\."):
        record_from_cells(FIELDS, {**cells, "days": "x"})
    with pytest.raises(UserError, match="no 'name'"):
        record_from_json(FIELDS, {"series": [[1, 2]], "days": [1]})
    with pytest.raises(
        UserError, match="an object with series, days, name is expected, not a list"
    ):
        record_from_json(FIELDS, [1])
    with pytest.raises(UserError, match="is not JSON: write an object with series, days, name"):
        record_from_text(FIELDS, "x")


def test_a_single_field_needs_no_name():
    assert record_from_text({"text": Text()}, "{as it is}") == {"text": "{as it is}"}
    assert record_from_json({"text": Text()}, "x") == {"text": "x"}
    assert record_from_json({"text": Text()}, {"text": "x"}) == {"text": "x"}


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=5)), max_size=20), st.integers(1, 4))
def test_groups_hold_every_record_once_and_fit_together(rows, limit):
    records = [{"series": np.zeros([length, 2]), "text": text} for length, text in rows]
    groups = group_by_shape(records, ["series", "text"], limit)
    assert sorted(index for group in groups for index in group) == list(range(len(records)))
    for group in groups:
        assert 1 <= len(group) <= limit
        assert len({records[index]["series"].shape for index in group}) == 1


class TestMissing:
    field = Array((None,), missing=True)

    def test_null_is_nan(self):
        np.testing.assert_array_equal(self.field.accept([1, None, 2.5]), [1, np.nan, 2.5])
        np.testing.assert_array_equal(self.field.parse("[null, 3]"), [np.nan, 3])
        assert self.field.accept([None]).dtype == np.float32
        assert self.field.accept([]).shape == (0,)

    def test_in_rows(self):
        rows = Array((None, 2), missing=True).accept([[1, None], [None, 4]])
        np.testing.assert_array_equal(rows, [[1, np.nan], [np.nan, 4]])

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ([1, "two"], "numbers of shape"),
            ([[1, 2], [3]], "rows of different lengths"),
            ([1, float("-inf")], "infinite numbers; null stands for one that is missing"),
            (None, "expected, not null"),
        ],
    )
    def test_what_is_no_number_is_named(self, value, message):
        with pytest.raises(UserError, match=message):
            self.field.accept(value)

    def test_elsewhere_null_is_refused(self):
        with pytest.raises(UserError, match="expected, not a list"):
            Array((None,)).accept([1, None])


class TestOptional:
    fields = {"series": SERIES, "beside": Array((None, 3), optional=True)}

    def test_what_is_left_out_is_empty(self):
        record = record_from_json(self.fields, {"series": [[1, 2]]})
        assert record["beside"].shape == (0, 3)
        assert record["beside"].dtype == np.float32

    def test_what_is_there_is_read(self):
        record = record_from_json(self.fields, {"series": [[1, 2]], "beside": [[1, 2, 3]]})
        np.testing.assert_array_equal(record["beside"], [[1, 2, 3]])
        with pytest.raises(UserError, match="beside: numbers of shape"):
            record_from_json(self.fields, {"series": [[1, 2]], "beside": [1]})

    def test_the_others_are_missed(self):
        with pytest.raises(UserError, match="no 'series'"):
            record_from_json(self.fields, {"beside": [[1, 2, 3]]})


class TestOfAnyRank:
    field = Array(None, missing=True)

    def test_a_list_or_rows(self):
        np.testing.assert_array_equal(self.field.parse("1, 2"), [1, 2])
        np.testing.assert_array_equal(self.field.accept([[1, 2], [3, None]]), [[1, 2], [3, np.nan]])
        assert self.field.describe()["shape"] is None

    def test_one_number_is_no_list(self):
        with pytest.raises(UserError, match=r"numbers of shape \[\?, \.\.\.\] expected"):
            self.field.accept(3)
