"""Sections: strict, frozen, with their bounds."""

import dataclasses

import pydantic
import pytest

from rnnsuite.core import section as sections
from rnnsuite.core.section import section


@section
class Example:
    """One of each kind."""

    count: sections.Positive = 1
    """At least one."""
    share: sections.Fraction = 0.0
    """Below one."""
    chance: sections.Probability = 1.0
    """At most one."""
    name: str = "x"
    """A text."""


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"count": 1.0},
        {"count": "1"},
        {"count": True},
        {"share": 1.0},
        {"share": float("nan")},
        {"chance": 1.1},
        {"chance": float("inf")},
        {"name": 3},
        {"nam": "x"},
    ],
)
def test_nothing_is_converted_and_nothing_unknown_taken(wrong):
    with pytest.raises(pydantic.ValidationError):
        Example(**wrong)


def test_whole_numbers_are_real_ones():
    assert Example(share=0).share == 0


def test_no_place_and_no_change():
    with pytest.raises((TypeError, pydantic.ValidationError)):
        Example(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example().count = 3


def test_the_string_below_a_key_is_its_meaning():
    assert Example.__pydantic_fields__["count"].description == "At least one."
