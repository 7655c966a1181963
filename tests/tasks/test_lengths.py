"""Lengths that files of static shapes are made for."""

import itertools

from hypothesis import given
from hypothesis import strategies as some

from rnnsuite.layers.scan.blocks import STEPS
from rnnsuite.tasks.lengths import lengths_up_to


@given(
    longest=some.integers(1, 10**6),
    shortest=some.integers(1, 10**5),
    grain=some.integers(1, 700),
    ratio=some.integers(2, 5),
)
def test_they_cover_all_that_is_not_too_long(longest, shortest, grain, ratio):
    lengths = lengths_up_to(longest, shortest, grain, ratio)
    grain *= STEPS
    assert len(lengths) >= 2
    assert list(lengths) == sorted(set(lengths))
    assert all(length % grain == 0 for length in lengths)
    assert lengths[-1] >= longest
    assert lengths[-1] < longest + 2 * grain
    for shorter, longer in itertools.pairwise(lengths):
        assert longer <= ratio * shorter or longer == 2 * grain


def test_of_texts_and_of_sounds():
    assert lengths_up_to(512) == (64, 128, 256, 512)
    assert lengths_up_to(64) == (32, 64)
    assert lengths_up_to(1000) == (64, 128, 256, 504, 1000)
    assert lengths_up_to(480_000, 32_000, 640, ratio=4) == (30_720, 122_880, 481_280)
