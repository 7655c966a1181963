"""Greedy decoding, alignment and prefix beam search against every alignment there is."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.decoding.ctc import ctc_align, ctc_greedy
from rnnsuite.decoding.fusion import Bonus, LanguageModel, Lexicon, Together
from rnnsuite.decoding.prefix_beam import prefix_beam_search
from tests.tasks.transcription.test_losses import collapsed
from tests.thorough import thorough

ALL = 400
"""A beam that holds every prefix of the small cases."""


def drawn(seed, rows=2, time=4, classes=3):
    rng = np.random.default_rng(seed)
    return np.log(rng.dirichlet(np.full(classes, 0.5), size=(rows, time)) + 1e-9).astype("f")


def paths(logs):
    """Every alignment and its logarithm."""
    time, classes = logs.shape
    for path in itertools.product(range(classes), repeat=time):
        yield path, sum(logs[t, c] for t, c in enumerate(path))


def enumerated(logs, added):
    """(score, text) of every text, the best first."""
    sums = {}
    for path, value in paths(logs):
        text = collapsed(path)
        sums[text] = np.logaddexp(sums.get(text, -np.inf), value)
    return sorted(((value + added(text), text) for text, value in sums.items()), reverse=True)


class Pairs:
    """A language model of pairs of symbols. table: `[before, next]`; under 0 the end."""

    def __init__(self, table):
        self.table = tf.constant(table, tf.float32)

    def begin(self, rows):
        return tf.tile(self.table[:1], [rows, 1]), tf.zeros([rows, 1])

    def step(self, symbols, states):
        return tf.gather(self.table, symbols), states + 1

    def added(self, text):
        both = zip((0, *text), (*text, 0), strict=True)
        return float(sum(self.table[one, other] for one, other in both))


def texts_of(decoded, row):
    ids = decoded.ids[row].numpy()
    lengths = decoded.lengths[row].numpy()
    return [tuple(text[:size].tolist()) for text, size in zip(ids, lengths, strict=True)]


@pytest.mark.parametrize("seed", [*range(12), *thorough(*range(12, 100))])
@pytest.mark.parametrize("has_model", [False, True])
def test_the_search_is_exact_where_every_prefix_lives(seed, has_model):
    rng = np.random.default_rng(seed)
    time = int(rng.integers(1, 6))
    classes = int(rng.integers(2, 5))
    logs = drawn(seed, 2, time, classes)
    model = Pairs(rng.normal(size=(classes, classes)) * has_model)
    steps = np.array([time, max(time - 1, 1)], "i4")
    found = prefix_beam_search(tf.constant(logs), tf.constant(steps), ALL, model)
    for row, count in enumerate(steps):
        expected = enumerated(logs[row, :count], model.added)
        scores = found.scores[row].numpy()
        assert np.isfinite(scores).sum() == len(expected)
        np.testing.assert_allclose(scores[: len(expected)], [s for s, _ in expected], atol=1e-4)
        assert texts_of(found, row)[0] == expected[0][1]
        assert set(texts_of(found, row)[: len(expected)]) == {text for _, text in expected}


def test_a_beam_of_one_is_no_worse_than_greedy():
    """In the mean over many cases: either may miss the best text of a single one."""
    logs = drawn(0, 200, 5, 3)
    steps = tf.fill([200], 5)
    greedy = ctc_greedy(tf.constant(logs), steps)
    gains = {beam: [] for beam in (1, 12)}
    for beam, gained in gains.items():
        search = prefix_beam_search(tf.constant(logs), steps, beam, Bonus([0.0] * 3))
        for row in range(200):
            sums = {text: score for score, text in enumerated(logs[row], lambda _: 0.0)}
            text = tuple(greedy.ids[row].numpy()[: greedy.lengths[row]])
            gained.append(sums[texts_of(search, row)[0]] - sums[text])
    assert np.mean(gains[1]) >= 0
    assert np.min(gains[12]) >= -1e-4


def test_greedy_is_the_best_alignment():
    logs = drawn(3, 3, 5, 3)
    steps = np.array([5, 3, 0], "i4")
    found = ctc_greedy(tf.constant(logs), tf.constant(steps))
    for row, count in enumerate(steps):
        best, path = max((value, path) for path, value in paths(logs[row, :count]))
        assert float(found.scores[row]) == pytest.approx(best, abs=1e-5)
        assert tuple(found.ids[row].numpy()[: found.lengths[row]]) == collapsed(path)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_alignment_is_the_best_of_its_text(seed):
    logs = drawn(seed, 1, 6, 3)
    rng = np.random.default_rng(seed)
    text = tuple(int(c) for c in rng.integers(1, 3, size=rng.integers(0, 4)))
    ids = np.zeros([1, 4], "i4")
    ids[0, : len(text)] = text
    found = ctc_align(tf.constant(logs), tf.constant([6]), tf.constant(ids))
    fitting = [(value, path) for path, value in paths(logs[0]) if collapsed(path) == text]
    if not fitting:
        assert found.scores[0] == -np.inf
        return
    best, path = max(fitting)
    assert float(found.scores[0]) == pytest.approx(best, abs=1e-4)
    starts = [t for t, c in enumerate(path) if c and (not t or path[t - 1] != c)]
    assert found.first[0].numpy().tolist() == [*starts, *[-1] * (4 - len(text))]
    for first, last, symbol in zip(starts, found.last[0].numpy(), text, strict=False):
        assert set(path[first : last + 1]) == {symbol}


def test_rows_beside_and_padding_change_nothing():
    logs = drawn(5, 3, 7, 4)
    steps = np.array([7, 4, 2], "i4")
    model = Pairs(np.random.default_rng(0).normal(size=(4, 4)))
    together = prefix_beam_search(tf.constant(logs), tf.constant(steps), 3, model)
    for row, count in enumerate(steps):
        alone = prefix_beam_search(
            tf.constant(logs[row : row + 1, :count]), tf.constant([count]), 3, model
        )
        np.testing.assert_array_equal(alone.scores[0], together.scores[row])
        assert texts_of(alone, 0) == texts_of(together, row)


class TestFusion:
    def test_a_bonus_counts_each_time(self):
        logs = drawn(6, 1, 5, 3)
        fusion = Bonus([0.0, 0.7, 0.0])
        found = prefix_beam_search(tf.constant(logs), tf.constant([5]), ALL, fusion)
        expected = enumerated(logs[0], lambda text: 0.7 * text.count(1))
        assert float(found.scores[0, 0]) == pytest.approx(expected[0][0], abs=1e-4)

    def test_a_language_model_is_weighed_and_ends_texts(self):
        table = np.log(np.random.default_rng(1).dirichlet(np.ones(3), size=3)).astype("f")
        model = LanguageModel(
            lambda tokens, states: (tf.gather(tf.constant(table), tokens), states),
            lambda rows: tf.zeros([rows, 1]),
            [2, 0, 1],
            0.5,
        )
        logs = drawn(7, 1, 4, 3)
        found = prefix_beam_search(tf.constant(logs), tf.constant([4]), ALL, model)

        def added(text):
            tokens = [2, *[symbol - 1 for symbol in text], 2]
            return 0.5 * sum(table[one, other] for one, other in itertools.pairwise(tokens))

        expected = enumerated(logs[0], added)
        assert float(found.scores[0, 0]) == pytest.approx(expected[0][0], abs=1e-4)
        assert texts_of(found, 0)[0] == expected[0][1]

    def test_what_a_language_model_does_not_know_is_not_written(self):
        model = LanguageModel(
            lambda tokens, states: (tf.zeros([tf.shape(tokens)[0], 2]), states),
            lambda rows: tf.zeros([rows, 1]),
            [0, 1, -1],
            1.0,
        )
        found = prefix_beam_search(tf.constant(drawn(8, 1, 4, 3)), tf.constant([4]), ALL, model)
        finite = np.isfinite(found.scores[0]).sum()
        assert all(2 not in text for text in texts_of(found, 0)[:finite])

    def test_a_closed_vocabulary_is_all_that_is_written(self):
        words = {(1, 2), (2,), (2, 2)}
        lexicon = Lexicon(words, 3, 4)
        found = prefix_beam_search(tf.constant(drawn(9, 1, 6, 4)), tf.constant([6]), 4000, lexicon)
        finite = np.isfinite(found.scores[0]).sum()
        written = texts_of(found, 0)[:finite]

        def is_allowed(text):
            parts = [
                tuple(group)
                for is_space, group in itertools.groupby(text, lambda c: c == 3)
                if not is_space
            ]
            spaces = text.count(3)
            return not text or (set(parts) <= words and spaces == len(parts) - 1 and text[0] != 3)

        expected = {
            text for _, text in enumerated(drawn(9, 1, 6, 4)[0], lambda _: 0.0) if is_allowed(text)
        }
        assert set(written) == expected

    def test_a_closed_vocabulary_needs_words(self):
        with pytest.raises(ValueError, match="needs words"):
            Lexicon([()], 3, 4)

    def test_parts_are_added(self):
        both = Together({"one": Bonus([0.0, 1.0, 0.0]), "other": Bonus([0.5, 0.0, 0.25])})
        scores, states = both.step(tf.constant([1, 2]), {"one": (), "other": ()})
        np.testing.assert_allclose(scores, [[0.5, 1.0, 0.25]] * 2)
        assert set(states) == {"one", "other"}
