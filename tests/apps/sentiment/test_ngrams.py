"""n-grams beside the network: the same in TensorFlow and NumPy, and how the two are mixed."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from apps.sentiment.ngrams import (
    LONGEST,
    MOST,
    NgramClassifier,
    codes,
    learn,
    mixture,
    rows_of,
)

WORDS = 9
ROWS = 64


@pytest.fixture(scope="module")
def ngrams():
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, WORDS, rng.integers(1, 7)) for _ in range(60)]
    labels = ["abc"[text.sum() % 3] for text in texts]
    return learn(texts, labels, ["a", "b", "c"], WORDS, ROWS)


@pytest.fixture(scope="module")
def layer(ngrams):
    return NgramClassifier(ngrams, WORDS)


@settings(max_examples=30, deadline=None)
@given(strategies.lists(strategies.integers(1, WORDS - 1), max_size=7), strategies.integers(0, 4))
def test_the_graph_scores_as_numpy_does(ngrams, layer, ids, padding):
    found = rows_of(np.array(ids, np.int32), codes(WORDS), ROWS)
    roots = ngrams.table()[found].astype(np.float64)
    expected = (roots * np.abs(roots)).sum(axis=0) * np.array(ngrams.scales) + ngrams.biases
    padded = np.array([ids + [0] * max(padding, 1 - len(ids))], np.int32)
    np.testing.assert_allclose(layer(padded)[0], expected, rtol=1e-5, atol=1e-5)


def test_every_n_gram_counts_once():
    places = codes(100)
    once = rows_of(np.array([5, 6, 5, 6, 5]), places, 2**26)
    # 5, 6; 5 6, 6 5; 5 6 5, 6 5 6
    assert len(once) == 6
    assert places.min() >= 0
    assert int(places.max()) * LONGEST < 2**31


def test_order_is_learned_where_words_alone_say_nothing():
    texts = [np.array([3, 4, 5]), np.array([5, 4, 3])] * 10
    found = learn(texts, ["up", "down"] * 10, ["down", "up"], 6, 2**10)
    logits = NgramClassifier(found, 6)(np.stack(texts)).numpy()
    assert logits.shape == (20, 2)
    assert (logits.argmax(axis=1) == [1, 0] * 10).all()


class TestMixture:
    numbers = np.array([0, 1, 1, 0, 1, 0, 1, 0])
    right = np.eye(2)[numbers] + np.linspace(-0.9, 0.9, 8)[:, None] * [1, -1]
    wrong = right[::-1, ::-1] * 0.3

    def test_what_says_nothing_counts_nothing(self):
        opposite = np.eye(2)[1 - self.numbers]
        assert mixture(self.right, opposite, self.numbers)["ngrams"] == 0

    def test_what_is_always_right_is_not_believed_without_end(self):
        always = np.eye(2)[self.numbers] * 0.1
        assert mixture(always, always, self.numbers) == {"network": MOST, "ngrams": MOST}

    def test_no_other_factors_are_better(self):
        def cost(network, wide):
            mixed = network * self.right + wide * self.wrong
            return np.mean(np.log(np.exp(mixed).sum(axis=1)) - mixed[range(8), self.numbers])

        found = mixture(self.right, self.wrong, self.numbers)
        best = cost(found["network"], found["ngrams"])
        for network in np.linspace(0, 5, 21):
            for wide in np.linspace(0, 5, 21):
                assert best <= cost(network, wide) + 1e-6
