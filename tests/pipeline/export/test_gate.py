"""Which exports pass: bounds that are relative, and signed by what better means."""

import math

import numpy as np
import pytest

from rnnsuite.core.errors import ExportFailed
from rnnsuite.pipeline.export import gate
from rnnsuite.pipeline.export.gate import Form
from rnnsuite.pipeline.settings import Export


def judge(direction, reference, score, name="int8.tflite", **bounds):
    forms = {"keras": Form("keras", None, reference), name: Form(name, "keras", score)}
    gate.check(forms, Export(**bounds), direction, "metric")


@pytest.mark.parametrize(
    ("direction", "reference", "score"),
    [
        ("min", 0.40, 9.0),  # a squared error that rises
        ("min", 0.12, 0.95),  # a word error rate
        ("max", 0.90, 0.80),
        ("max", 40.0, 38.0),
        ("max", -0.5, -0.6),
        ("max", 0.9, math.nan),
        ("min", 0.0, 0.1),
    ],
)
def test_what_is_worse_fails(direction, reference, score):
    with pytest.raises(ExportFailed, match=r"int8\.tflite: metric"):
        judge(direction, reference, score)


@pytest.mark.parametrize(
    ("direction", "reference", "score"),
    [
        ("min", 0.40, 0.30),  # better
        ("max", 0.90, 0.95),
        ("max", -0.5, -0.5),  # R2 of a bad model against itself
        ("min", 0.40, 0.401),
        ("max", 0.90, 0.895),
        ("max", 0.0, 0.0),
        ("min", math.nan, math.nan),
    ],
)
def test_what_is_as_good_passes(direction, reference, score):
    judge(direction, reference, score)


def test_each_form_has_its_tolerance():
    judge("max", 1.0, 0.985, "dynamic.tflite")
    with pytest.raises(ExportFailed):
        judge("max", 1.0, 0.985, "int8.tflite")
    judge("max", 1.0, 0.5, "dynamic.tflite", dynamic_tolerance=0.5)
    forms = {
        "keras float32": Form("keras float32", None, 1.0),
        "keras": Form("keras", "keras float32", 0.9),
    }
    with pytest.raises(ExportFailed, match=r"keras: metric 0\.9000"):
        gate.check(forms, Export(), "max", "metric")


def test_differences_have_a_bound():
    forms = {"keras": Form("keras"), "saved_model": Form("saved_model", "keras", None, 2e-5, 0)}
    with pytest.raises(ExportFailed, match="differ by up to 2e-05"):
        gate.check(forms, Export(), None, None)
    forms["saved_model"] = Form("saved_model", "keras", None, 0.0, 1)
    with pytest.raises(ExportFailed, match="1 are unequal"):
        gate.check(forms, Export(), None, None)


def columns(*values):
    return {"value": np.array(values, np.float32)}


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        (columns(1.0, 2.0), columns(1.0, 2.0), 0.0),
        (columns(0.1, 0.2), columns(0.1, 0.3), 0.1),
        (columns(1000.0, 2000.0), columns(1000.0, 2010.0), 0.005),  # relative to the scale
        (columns(math.nan, 1.0), columns(math.nan, 1.0), 0.0),
        (columns(math.inf, 1.0), columns(math.inf, 1.0), 0.0),
        (columns(1.0, 1.0), columns(math.nan, 1.0), math.inf),
    ],
)
def test_how_far_answers_differ(expected, found, difference):
    assert gate.largest_difference(expected, found) == (pytest.approx(difference, abs=1e-6), 0)


def test_rows_of_different_lengths_are_compared():
    ragged = np.empty(2, object)
    ragged[:] = [np.array([1.0, 2.0]), np.array([3.0])]
    words = np.array([b"a", b"b"])
    expected = {"values": ragged, "words": words}
    assert gate.largest_difference(expected, expected) == (0.0, 0)
    other = np.empty(2, object)
    other[:] = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]
    found = {"values": other, "words": np.array([b"a", b"c"])}
    assert gate.largest_difference(expected, found) == (math.inf, 1)


class TestDraws:
    EXPECTED = {"text": [b"a b", b"c", b"d"], "score": [-1.0, -2.0, -3.0], "given": [0.1, 0.2, 0.3]}

    def found(self, **changes):
        return gate.set_redrawn_aside(
            self.EXPECTED, {**self.EXPECTED, **changes}, ("text", "score")
        )

    def test_another_text_is_counted_and_its_numbers_are_not_compared(self):
        answers, share = self.found(text=[b"a b", b"x", b"d"], score=[-1.0, -9.0, -3.0])
        assert share == pytest.approx(1 / 3)
        assert gate.largest_difference(self.EXPECTED, answers) == (0.0, 0)

    def test_another_number_of_the_same_text_is_a_difference(self):
        answers, share = self.found(score=[-1.0, -2.5, -3.0])
        assert share == 0
        assert gate.largest_difference(self.EXPECTED, answers)[0] > 0.1

    def test_what_is_not_drawn_must_be_equal(self):
        answers, _ = self.found(text=[b"a b", b"x", b"d"], given=[0.1, 0.9, 0.3])
        assert gate.largest_difference(self.EXPECTED, answers)[0] == pytest.approx(0.7)

    def test_without_drawn_outputs_every_text_counts(self):
        answers = {**self.EXPECTED, "text": [b"a b", b"x", b"d"]}
        answers, share = gate.set_redrawn_aside(self.EXPECTED, answers, ())
        assert share == 0
        assert gate.largest_difference(self.EXPECTED, answers) == (0.0, 1)

    @pytest.mark.parametrize(
        ("name", "share", "passes"),
        [
            ("saved_model", 0.01, True),
            ("saved_model", 0.03, False),
            ("float32.tflite", 0.03, False),
            ("dynamic.tflite", 0.5, True),  # rounded weights: their score is judged
        ],
    )
    def test_few_may_fall_otherwise(self, name, share, passes):
        forms = {
            "keras": Form("keras", None, 1.0),
            name: Form(name, "keras", 1.0, 0.0, redrawn=share),
        }
        if passes:
            gate.check(forms, Export(), "max", "metric")
            return
        with pytest.raises(ExportFailed, match=r": 3% of what is drawn is another text"):
            gate.check(forms, Export(), "max", "metric")


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0, 0.0], (0.0, 0)),
        ([1.0, 2.0, 0.0, 0.0], [1.0, 2.0], (0.0, 0)),
        ([1.0, 2.0], [1.0, 2.0, 3.0], (float("inf"), 0)),
        ([b"a", b""], [b"a"], (0.0, 0)),
        ([b"a", b"b"], [b"a"], (0.0, 1)),
        ([], [b"", b""], (0.0, 0)),
    ],
)
def test_padding_behind_a_list_is_no_difference(value, reference, expected):
    """Lists of words are as long as the longest in their batch."""
    columns = [np.empty(1, object) for _ in range(2)]
    for column, content in zip(columns, (value, reference), strict=True):
        kind = "f8" if not content or isinstance(content[0], float) else object
        column[0] = np.array(content, kind if content else object)
    found = gate.largest_difference({"x": columns[1]}, {"x": columns[0]})
    assert found == expected
