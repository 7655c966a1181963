"""What the data suggest for a configuration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.data import suggestions


def test_a_bound_that_cuts_many_is_told_with_one_that_does_not(caplog):
    lengths = np.concatenate([np.full(100, 20), np.full(50, 40), [90]])
    suggestions.say_longer(lengths, 24, "captions", "left out")
    assert (
        "51 of 151 captions are longer than data.max_tokens=24; they are left out." in caplog.text
    )
    assert "--set data.max_tokens=40." in caplog.text


def test_one_in_a_hundred_is_no_word_worth(caplog):
    suggestions.say_longer(np.concatenate([np.full(99, 5), [50]]), 10, "texts", "cut")
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("examples", "size", "suggested"),
    [(8000, 64, 64), (539, 32, 16), (100, 64, 4), (3, 64, 4), (100, 2, 2)],
)
def test_a_batch_that_gives_an_epoch_its_steps(examples, size, suggested):
    assert suggestions.batch_size(examples, size) == suggested


@given(st.lists(st.integers(1, 500), min_size=1, max_size=200))
def test_buckets_hold_all_lengths(lengths):
    bounds = suggestions.boundaries(np.array(lengths))
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == max(lengths)
    assert 1 <= len(bounds) <= 6
