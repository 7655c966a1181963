"""Lengths that files of static shapes are made for."""

import itertools

from hypothesis import given
from hypothesis import strategies as some

from rnnsuite.tasks.lengths import lengths_up_to


@given(
    longest=some.integers(1, 10**6), shortest=some.integers(1, 10**5), grain=some.integers(1, 700)
)
def test_they_cover_all_that_is_not_too_long(longest, shortest, grain):
    lengths = lengths_up_to(longest, shortest, grain)
    assert len(lengths) >= 2
    assert list(lengths) == sorted(set(lengths))
    assert all(length % grain == 0 for length in lengths)
    assert lengths[-1] >= longest
    assert lengths[-1] < longest + 2 * grain
    for shorter, longer in itertools.pairwise(lengths):
        assert longer <= 4 * shorter or longer == 2 * grain


def test_of_texts_and_of_sounds():
    assert lengths_up_to(512) == (32, 128, 512)
    assert lengths_up_to(64) == (16, 64)
    assert lengths_up_to(480_000, 32_000, 640) == (30_080, 120_320, 480_000)
