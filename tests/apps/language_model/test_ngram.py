"""Kneser-Ney against its formulas, written out one n-gram at a time."""

import collections
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.language_model.ngram import LEAST, KneserNey

END = 0


def windows(texts, order):
    """Every (context, token) of texts, with ends before them."""
    for text in texts:
        padded = [END] * (order - 1) + list(text) + [END]
        for place in range(order - 1, len(padded)):
            yield tuple(padded[place - order + 1 : place]), padded[place]


def discounts(counts):
    n = [max(sum(count == number for count in counts.values()), 1) for number in (1, 2, 3, 4)]
    y = n[0] / (n[0] + 2 * n[1])
    values = [1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2]]
    return [min(max(value, LEAST), most) for value, most in zip(values, (1, 2, 3), strict=True)]


class Naive:
    """The same model from dictionaries (Chen & Goodman 1998, section 3.3)."""

    def __init__(self, texts, size, order):
        self.size = size
        self.order = order
        self.counts = {order: collections.Counter((*c, t) for c, t in windows(texts, order))}
        for lower in range(order - 1, 0, -1):
            longer = {
                (*context[-lower:], token) if lower else (token,)
                for context, token in windows(texts, lower + 1)
            }
            self.counts[lower] = collections.Counter(gram[1:] for gram in longer)

    def probability(self, context, token, order=None):
        order = self.order if order is None else order
        if order == 0:
            return 1 / self.size
        context = context[len(context) - order + 1 :] if order > 1 else ()
        lower = self.probability(context[1:] if context else (), token, order - 1)
        counts = self.counts[order]
        of_context = {gram: n for gram, n in counts.items() if gram[:-1] == context}
        total = sum(of_context.values())
        if not total:
            return lower
        rates = discounts(counts)
        own = of_context.get((*context, token), 0)
        share = max(own - (rates[min(own, 3) - 1] if own else 0), 0) / total
        reserved = sum(rates[min(n, 3) - 1] for n in of_context.values())
        return share + reserved / total * lower


TRAIN = [[1, 2, 3, 1, 2], [2, 3, 3], [1, 2, 3, 4], [4, 4, 1, 2, 3], [1], [], [2, 2, 2, 2]]
TEST = [[1, 2, 3, 4], [4, 1, 2, 2, 5], [], [3, 3, 3, 3, 1]]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_every_probability_is_the_formula_s(order):
    model = KneserNey([np.array(text, int) for text in TRAIN], 6, END, order)
    naive = Naive(TRAIN, 6, order)
    logs = model.log_probabilities([np.array(text, int) for text in TEST])
    wanted = [
        math.log(naive.probability(context, token)) for context, token in windows(TEST, order)
    ]
    np.testing.assert_allclose(logs, wanted, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 4), max_size=6), min_size=1, max_size=6),
    st.lists(st.integers(1, 4), max_size=5),
    st.integers(1, 4),
)
def test_probabilities_sum_to_one(texts, context, order):
    model = KneserNey([np.array(text, int) for text in texts], 5, END, order)
    # The end is counted where the text with one token less ends.
    logs = [
        model.log_probabilities([np.array([*context, token], int)])[len(context)]
        for token in range(1, 5)
    ]
    logs.append(model.log_probabilities([np.array(context, int)])[-1])
    assert np.exp(logs).sum() == pytest.approx(1, abs=1e-9)


def test_what_was_never_seen_is_possible():
    model = KneserNey([np.array([1, 1, 1, 1])] * 50, 9, END, 5)
    assert np.isfinite(model.log_probabilities([np.array([8, 7, 1, 2])])).all()


def test_longer_n_grams_know_more():
    text = np.array(list(itertools.islice(itertools.cycle([1, 2, 3, 1, 4]), 400)))
    values = [
        -KneserNey([text], 6, END, order).log_probabilities([text[:50]]).mean()
        for order in (1, 2, 3)
    ]
    assert values[0] > values[1] > values[2]


def test_no_n_gram_crosses_texts():
    apart = KneserNey([np.array([1]), np.array([2])], 4, END, 2)
    joined = KneserNey([np.array([1, 2])], 4, END, 2)
    pair = [np.array([1, 2])]
    assert apart.log_probabilities(pair)[1] < joined.log_probabilities(pair)[1]
