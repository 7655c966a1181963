"""Series as people write them."""

import numpy as np
import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.tasks.detection.fields import SeriesField

FIELD = SeriesField((None, None), missing=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", [[1], [2], [3]]),
        (" 1.5 , , -2e3 ", [[1.5], [np.nan], [-2000]]),
        ("7", [[7]]),
        ("[[1, 2], [null, 4]]", [[1, 2], [np.nan, 4]]),
    ],
)
def test_numbers_in_a_shell(text, values):
    np.testing.assert_array_equal(FIELD.parse(text), np.array(values, np.float32))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_the_path_of_a_table(tmp_path, suffix):
    path = tmp_path / f"pump{suffix}"
    rows = {
        ".csv": "timestamp,a,b\n2026-01-01,1,2\n2026-01-02,3,\n",
        ".tsv": "a\tb\n1\t2\n3\t\n",
        ".jsonl": '{"a": 1, "b": 2}\n{"a": 3, "b": null}\n',
    }
    path.write_text(rows[suffix])
    np.testing.assert_array_equal(FIELD.parse(str(path)), [[1, 2], [3, np.nan]])


def test_the_path_of_an_array(tmp_path):
    path = tmp_path / "pump.npy"
    np.save(path, np.array([[1, 2], [3, 4]]))
    np.testing.assert_array_equal(FIELD.parse(str(path)), [[1, 2], [3, 4]])
    np.save(path, np.array([1.5, np.nan]))
    np.testing.assert_array_equal(FIELD.parse(str(path)), [[1.5], [np.nan]])
    np.save(path, np.zeros([2, 2, 2]))
    with pytest.raises(UserError, match="numbers of shape"):
        FIELD.parse(str(path))
    path.write_bytes(b"no array")
    with pytest.raises(UserError, match="cannot be read as numbers"):
        FIELD.parse(str(path))
    with pytest.raises(UserError, match=r"There is no file elsewhere\.npy"):
        FIELD.parse("elsewhere.npy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,two", "is not JSON"),
        ("[1, 2]", "numbers of shape"),
        ("[[1, 2], [3]]", "rows of different lengths"),
    ],
)
def test_what_is_no_series_is_told(text, message):
    with pytest.raises(UserError, match=message):
        FIELD.parse(text)


def test_a_table_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"There is no table elsewhere.csv"):
        FIELD.parse("elsewhere.csv")


def test_an_empty_cell_is_a_missing_observation():
    assert np.isnan(FIELD.parse("")).all()
