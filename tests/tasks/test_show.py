"""Answers for a person."""

import types

from rnnsuite.tasks import classification, generation

FITTED = types.SimpleNamespace(labels=("a", "b", "c", "d"))


def test_the_three_most_probable_classes_by_name():
    answer = {"label": "b", "probabilities": [0.1, 0.6, 0.05, 0.25]}
    assert classification.show(FITTED, answer) == ["b 0.600  d 0.250  a 0.100"]


def test_attention_where_there_are_tokens():
    answer = {"probabilities": [1, 0, 0, 0], "tokens": ["fine", "film", ""], "weights": [1, 0, 0]}
    assert classification.show(FITTED, answer)[1] == "attention: fine 1.00 film 0.00"


def test_a_hypothesis_a_line_with_its_score():
    one = generation.show("text", None, {"text": "ein Film", "score": -0.5})
    assert one == [" -0.500  ein Film"]
    several = generation.show("text", None, {"text": ["a", "b"], "score": [-0.25, -1.0]})
    assert several == [" -0.250  a", " -1.000  b"]


def test_what_each_word_attended():
    answer = {
        "text": "ein Film",
        "score": 0.0,
        "source_tokens": ["a", "film"],
        "target_tokens": ["ein", "Film", ""],
        "weights": [[0.75, 0.25], [0.1, 0.9], [0.5, 0.5]],
    }
    assert generation.show("text", None, answer)[1:] == ["  ein <- a 0.75", "  Film <- film 0.90"]


def test_another_kind_of_answer_is_not_shown():
    assert generation.show("text", None, {"logits": [1.0]}) == []
