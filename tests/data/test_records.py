"""Records in memory."""

import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.data.records import collect


def numbered(count):
    return tf.data.Dataset.range(count).map(lambda n: {"n": n})


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [
        (4, None, [0, 1, 2, 3]),
        (10, 3, [0, 3, 6]),  # spread over all: many sources are sorted by class
        (3, 10, [0, 1, 2]),
        (5, 5, [0, 1, 2, 3, 4]),
    ],
)
def test_all_or_some_of_them(count, limit, expected):
    assert [record["n"] for record in collect(numbered(count), limit)] == expected


def test_none():
    with pytest.raises(UserError, match="no records"):
        collect(numbered(0))
