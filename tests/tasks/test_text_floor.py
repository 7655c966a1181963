"""The linear floor of texts: what it weighs, and what it can and cannot tell apart."""

import numpy as np
import pytest
import scipy.sparse

from rnnsuite.tasks.text_floor import NAME, _log_ratio, naive_bayes_floor

GOOD = [f"a good film number {n}" for n in range(20)]
BAD = [f"a bad film number {n}" for n in range(20)]


def test_words_that_a_class_has_more_often():
    scores = naive_bayes_floor(
        GOOD + BAD,
        ["pos"] * 20 + ["neg"] * 20,
        ["what a good one", "so bad"],
        ["pos", "neg"],
    )
    assert scores == {"model": NAME, "accuracy": 1.0, "macro_f1": 1.0}


def test_several_classes():
    texts = [f"{word} thing {n}" for n in range(10) for word in ("red", "green", "blue")]
    labels = ["r", "g", "b"] * 10
    scores = naive_bayes_floor(texts, labels, ["blue sky", "green", "red"], ["b", "g", "r"])
    assert scores["accuracy"] == 1.0


def test_n_grams_know_the_order_of_neighbours():
    texts = ["not good but fine"] * 9 + ["good but not fine"] * 9
    labels = ["a"] * 9 + ["b"] * 9
    scores = naive_bayes_floor(texts, labels, ["not good", "but not"], ["a", "b"])
    assert scores["accuracy"] == 1.0


def test_what_no_n_gram_knows_is_a_guess():
    scores = naive_bayes_floor(GOOD + BAD, ["p"] * 20 + ["n"] * 20, ["x y z"] * 4, list("ppnn"))
    assert scores["accuracy"] == 0.5


def test_the_weight_is_the_logarithm_of_the_ratio():
    occurs = scipy.sparse.csr_matrix(np.array([[1.0, 0, 1], [1, 1, 0], [0, 1, 1]]))
    found = _log_ratio(occurs, np.array([True, True, False]))
    inside = np.array([3, 2, 2]) / 7
    outside = np.array([1, 2, 2]) / 5
    np.testing.assert_allclose(found[0], np.log(inside / outside))


def test_it_stands_beside_a_classifier_s_score(sentiment):
    floor = sentiment.evaluated().floor
    assert floor["model"] == NAME
    assert 0 <= floor["accuracy"] <= 1
    assert floor["accuracy"] == pytest.approx(0.5, abs=0.25)  # only the order of words decides
