import itertools
import random

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from apps.sentiment import sample
from apps.sentiment.sample import SIZES, review, reviews


@pytest.fixture(scope="module")
def everything():
    return list(reviews())


def test_deterministic(everything):
    assert list(itertools.islice(reviews(), 500)) == everything[:500]
    assert review(random.Random(3), True) == review(random.Random(3), True)


def test_sizes_balance_and_no_two_alike(everything):
    texts = [text for _, text, _ in everything]
    assert len(set(texts)) == len(texts)
    for split, size in SIZES.items():
        labels = [label for of, _, label in everything if of == split]
        assert len(labels) == size
        assert labels.count("positive") == size // 2


def test_words_and_bigrams_do_not_decide(everything):
    train, test = ([row for row in everything if row[0] == split] for split in ("train", "test"))
    words = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    model = LogisticRegression(max_iter=1000).fit(
        words.fit_transform([row[1] for row in train]), [row[2] for row in train]
    )
    assert model.score(words.transform([row[1] for row in test]), [row[2] for row in test]) <= 0.85


def test_no_two_alike_even_where_the_grammar_repeats_itself(monkeypatch):
    for name, few in {
        "_THINGS": ("it",),
        "_GOOD": ("good",),
        "_BAD": ("bad",),
        "_FILLERS": ("so",),
    }.items():
        monkeypatch.setattr(sample, name, few)
    monkeypatch.setattr(sample, "SIZES", {"train": 300, "test": 100})
    texts = [text for _, text, _ in reviews()]
    assert len(set(texts)) == len(texts) == 400
