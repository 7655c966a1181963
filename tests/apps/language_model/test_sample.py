"""The grammar: its entropy in closed form, its agreement and its brackets."""

import collections
import math
import random

import pytest

from apps.language_model import sample

TEXTS = [text for split, text, _ in sample.sentences() if split == "test"]


def test_the_entropy_is_that_of_many_sentences():
    rng = random.Random(5)
    nats = 0.0
    words = 0
    for _ in range(20_000):
        text, log_probability = sample.sentence(rng)
        nats -= log_probability
        words += len(text.split()) + 1
    assert nats / words == pytest.approx(sample.entropy_per_word(), rel=0.005)


def test_a_sentence_s_probability_is_its_frequency():
    """Of short sentences of few kinds, by counting."""
    rng = random.Random(1)
    logs = {}
    counts: collections.Counter = collections.Counter()
    total = 200_000
    for _ in range(total):
        text, log_probability = sample.sentence(rng)
        # The first place, and nothing behind it that varies.
        key = tuple(text.split()[:2])
        counts[key] += 1
        logs[text] = log_probability
    assert len(counts) == 24
    for count in counts.values():
        assert count / total == pytest.approx(1 / 24, rel=0.06)
    assert max(logs.values()) < math.log(1 / 24)


def test_equal_sentences_have_equal_probabilities():
    logs = {}
    for _, text, log_probability in sample.sentences():
        assert logs.setdefault(text, log_probability) == pytest.approx(log_probability)


@pytest.mark.parametrize("text", TEXTS[:200])
def test_verb_and_echo_agree_with_the_subject(text):
    words = text.split()
    (kind,) = [kind for kind, nouns in sample.SUBJECTS.items() if words[1] in nouns]
    verbs = [word for word in words if any(word in group for group in sample.VERBS.values())]
    assert len(verbs) == 1
    assert verbs[0] in sample.VERBS[kind]
    assert words[-2] == sample.ECHOES[kind]
    assert words[-1] == "."


def test_every_bracket_is_closed_by_its_own_kind():
    deepest = 0
    for text in TEXTS:
        pending = []
        for word in text.split():
            if word in sample.BRACKETS:
                pending.append(sample.BRACKETS[word])
                deepest = max(deepest, len(pending))
            elif word in sample.BRACKETS.values():
                assert word == pending.pop()
        assert not pending
    assert deepest > 3


def test_splits_have_their_sizes_and_are_always_the_same():
    sizes = collections.Counter(split for split, _, _ in sample.sentences())
    assert sizes == sample.SIZES
    assert list(sample.sentences())[:50] == list(sample.sentences())[:50]
    assert TEXTS[0] != TEXTS[1]


def test_agreement_reaches_further_than_an_n_gram():
    """The verb stands up to ten words behind its subject, the echo further."""
    distances = []
    for text in TEXTS:
        words = text.split()
        distances.append(len(words) - 2 - 1)
    assert max(distances) > 20
    assert sum(distance > 4 for distance in distances) == len(distances)
