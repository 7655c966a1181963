"""The benchmark that finds groups of clips, on clips whose groups are known."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("groups", ROOT / "benchmarks" / "ucf101_groups.py")
MODULE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MODULE)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(4, 7), min_size=2, max_size=8), seed=st.integers(0, 10**6))
def test_neighbours_that_are_alike_are_of_a_group(sizes, seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=[len(sizes), 30])
    truth = np.repeat(np.arange(len(sizes)), sizes)
    frames = centres[truth] + 0.05 * rng.normal(size=[len(truth), 30])
    np.testing.assert_array_equal(MODULE.groups(frames, len(sizes)), truth)


def test_so_many_clips_are_not_so_many_groups():
    with pytest.raises(SystemExit, match="9 clips are not 3 groups of 4 to 7"):
        MODULE.groups(np.ones([9, 2]), 3)
