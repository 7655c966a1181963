"""Decoding against enumeration, over models whose every probability is a table."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite import decoding
from tests.thorough import thorough

END = 1


class Table:
    """A model of any history: the logits of a step are drawn from a hash of all tokens before it.

    The state holds a number for the history, and the attention so far over `positions` places.
    """

    def __init__(self, seed, size=3, positions=2, depth=5):
        rng = np.random.default_rng(seed)
        self.size, self.positions, self.count = size, positions, size ** (depth + 1) * 2
        self.logits = (2 * rng.normal(size=[self.count, size])).astype(np.float32)
        self.attention = rng.dirichlet([0.5] * positions, size=self.count).astype(np.float32)

    def state(self, rows):
        return {
            "history": tf.ones([rows, 1], tf.int32),
            "attended": tf.zeros([rows, self.positions]),
        }

    def step(self, tokens, state):
        history = (state["history"][:, 0] * self.size + tokens) % self.count
        attended = state["attended"] + tf.gather(self.attention, history)
        return tf.gather(self.logits, history), {"history": history[:, None], "attended": attended}

    def everything(self, start, most, least, alpha, beta):
        """(score, ids) of all hypotheses, best first."""
        found = []

        def go(ids, history, attended, total):
            history = (history * self.size + (ids[-1] if ids else start)) % self.count
            attended = attended + self.attention[history].astype(np.float64)
            logits = self.logits[history].astype(np.float64)
            if len(ids) + 1 < least:
                logits = np.where(np.arange(self.size) == END, -np.inf, logits)
            logs = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            cover = beta * np.log(np.clip(attended, 1e-10, 1)).sum()
            for token in range(self.size):
                longer, gained = [*ids, token], total + logs[token]
                if gained == -np.inf:
                    continue
                if token == END or len(longer) == most:
                    found.append((gained / ((5 + len(longer)) / 6) ** alpha + cover, longer))
                else:
                    go(longer, history, attended, gained)

        go([], 1, np.zeros(self.positions), 0.0)
        return sorted(found, key=lambda each: -each[0])


def searched(table, starts, beam, most, **options):
    state = table.state(len(starts))
    return decoding.beam_search(
        table.step,
        state,
        tf.constant(starts),
        END,
        beam,
        most,
        coverage=lambda state: state["attended"],
        **options,
    )


@pytest.mark.parametrize("block", [*range(4), *thorough(*range(4, 8))])
def test_a_beam_as_wide_as_the_space_finds_what_enumeration_finds(block):
    for number in range(25):
        seed = 25 * block + number
        rng = np.random.default_rng(seed)
        table, most = Table(seed, size=int(rng.integers(2, 4))), int(rng.integers(1, 5))
        least, alpha, beta = (
            int(rng.integers(0, most + 1)),
            rng.choice([0, 0.6, 1.0, 2.0]),
            rng.choice([0, 0.2, 1.0]),
        )
        expected = table.everything(0, most, least, alpha, beta)
        beam = table.size**most + 1
        found = searched(
            table,
            [0],
            beam,
            most,
            min_length=least,
            length_penalty=float(alpha),
            coverage_penalty=float(beta),
        )
        scores = found.scores[0].numpy()
        assert np.isfinite(scores).sum() == min(len(expected), beam)
        for place, (score, ids) in enumerate(expected):
            assert scores[place] == pytest.approx(score, abs=1e-4)
            if abs(score - expected[place - 1][0]) > 1e-4 or place == 0:
                following = expected[place + 1][0] if place + 1 < len(expected) else -np.inf
                if score - following > 1e-4:
                    length = int(found.lengths[0, place])
                    assert found.ids[0, place, :length].numpy().tolist() == ids
        assert not found.ids.numpy()[0, len(expected) :].any()


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(10))
def test_a_beam_of_one_is_greedy(seed, alpha):
    table, starts, least = Table(seed, size=4), [0, 2, 3], seed % 3
    one = searched(table, starts, 1, 5, min_length=least, length_penalty=alpha)
    same = decoding.greedy(table.step, table.state(3), tf.constant(starts), END, 5, least)
    np.testing.assert_array_equal(one.ids[:, 0], same.ids)
    np.testing.assert_array_equal(one.lengths[:, 0], same.lengths)
    penalties = ((5 + same.lengths.numpy()) / 6) ** alpha
    np.testing.assert_allclose(one.scores[:, 0] * penalties, same.scores, atol=1e-5)


def test_a_wider_beam_is_better_on_the_average():
    tables = [Table(seed, size=4) for seed in range(30)]
    narrow, wide = (
        [float(searched(table, [0], beam, 5).scores[0, 0]) for table in tables] for beam in (1, 4)
    )
    assert np.mean(wide) > np.mean(narrow) + 0.1


@pytest.mark.parametrize("beam", [1, 2, 4])
def test_rows_beside_a_row_change_nothing(beam):
    table, options = Table(3, size=4), {"length_penalty": 0.6, "coverage_penalty": 0.2}
    together = searched(table, [0, 2, 3, 0], beam, 6, **options)
    for row, start in enumerate([0, 2, 3, 0]):
        alone = searched(table, [start], beam, 6, **options)
        np.testing.assert_array_equal(together.ids[row], alone.ids[0])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], atol=1e-6)


def test_greedy_takes_the_best_each_time_and_adds_up():
    table = Table(0, size=4)
    found = decoding.greedy(table.step, table.state(1), tf.constant([0]), END, 5)
    history, total, token = 1, 0.0, 0
    for place in range(int(found.lengths[0])):
        history = (history * 4 + token) % table.count
        logits = table.logits[history].astype(np.float64)
        token = int(logits.argmax())
        total += logits[token] - np.log(np.exp(logits).sum())
        assert found.ids[0, place] == token
    assert token == END or found.lengths[0] == 5
    assert float(found.scores[0]) == pytest.approx(total, abs=1e-5)


def test_at_least_and_at_most():
    table = Table(1)
    table.logits[:, END] += 20
    assert decoding.greedy(table.step, table.state(1), tf.constant([0]), END, 5).lengths[0] == 1
    for least in (2, 4):
        assert (
            decoding.greedy(table.step, table.state(1), tf.constant([0]), END, 5, least).lengths[0]
            == least
        )
        assert searched(table, [0], 2, 5, min_length=least).lengths.numpy().min() >= least
    table.logits[:, END] -= 40
    assert searched(table, [0], 2, 5).lengths.numpy().tolist() == [[5, 5]]


def test_samples_have_the_models_distribution():
    table = Table(5, size=4)
    drawn = decoding.sample(
        table.step, table.state(4000), tf.zeros([4000], tf.int32), END, 1, tf.constant(7)
    )
    probabilities = tf.nn.softmax(table.logits[4]).numpy()  # history 1 * 4 + 0
    counts = np.bincount(drawn.ids[:, 0], minlength=4) / 4000
    np.testing.assert_allclose(counts, probabilities, atol=0.03)
    np.testing.assert_allclose(drawn.scores, np.log(probabilities)[drawn.ids[:, 0]], atol=1e-5)


def test_the_seed_decides_and_the_rows_beside_do_not():
    table = Table(5, size=4)

    def draw(rows, seed):
        start = tf.zeros([rows], tf.int32)
        return decoding.sample(
            table.step, table.state(rows), start, END, 6, tf.constant(seed)
        ).ids.numpy()

    np.testing.assert_array_equal(draw(50, 1), draw(50, 1))
    np.testing.assert_array_equal(draw(50, 1)[:5], draw(5, 1))
    assert (draw(50, 1) != draw(50, 2)).any()


def test_temperature_zero_is_greedy():
    table = Table(5, size=4)
    found = decoding.sample(
        table.step, table.state(1), tf.constant([0]), END, 5, tf.constant(1), temperature=0.0
    )
    np.testing.assert_array_equal(
        found.ids, decoding.greedy(table.step, table.state(1), tf.constant([0]), END, 5).ids
    )


@pytest.mark.parametrize(
    ("top_k", "top_p", "kept"),
    [
        (0, 1.0, [0, 1, 2, 3]),
        (2, 1.0, [1, 3]),
        (1, 1.0, [3]),
        (0, 0.5, [3]),
        (0, 0.75, [1, 3]),
        (0, 0.0, [3]),
    ],
)
def test_what_is_likely(top_k, top_p, kept):
    logits = tf.math.log([[0.1, 0.2, 0.1 - 1e-3, 0.601]])
    numbers = np.linspace(0, 1, 500, endpoint=False, dtype="float32")
    rows = tf.repeat(logits, len(numbers), axis=0)
    drawn = decoding.draw(rows, tf.constant(numbers), top_k=top_k, top_p=top_p).numpy()
    assert sorted(set(drawn.tolist())) == kept
    shares = np.exp(logits.numpy()[0, kept])
    counts = np.bincount(drawn, minlength=4)[kept] / len(numbers)
    np.testing.assert_allclose(counts, shares / shares.sum(), atol=5e-3)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_logits(temperature):
    logits = np.log([[0.1, 0.2, 0.1 - 1e-3, 0.601]]).astype("float32")
    numbers = np.linspace(0, 1, 500, endpoint=False, dtype="float32")
    rows = tf.repeat(logits, len(numbers), axis=0)
    drawn = decoding.draw(rows, tf.constant(numbers), temperature).numpy()
    shares = np.exp(logits[0] / temperature)
    counts = np.bincount(drawn, minlength=4) / len(numbers)
    np.testing.assert_allclose(counts, shares / shares.sum(), atol=5e-3)


def test_equal_logits_keep_exactly_k():
    numbers = tf.linspace(0.0, 0.999, 300)
    drawn = decoding.draw(tf.zeros([300, 9]), numbers, top_k=3)
    assert len(set(drawn.numpy().tolist())) == 3


def test_in_a_graph_with_penalties_and_lengths_as_inputs():
    table = Table(2, size=4)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([]),
        ]
    )
    def run(start, most, alpha):
        rows = tf.shape(start)[0]
        return decoding.beam_search(
            table.step, table.state(rows), start, END, 3, most, length_penalty=alpha
        )._asdict()

    for most, alpha in itertools.product((2, 5), (0.0, 1.0)):
        eager = decoding.beam_search(
            table.step, table.state(2), tf.constant([0, 3]), END, 3, most, length_penalty=alpha
        )
        found = run(tf.constant([0, 3]), most, alpha)
        np.testing.assert_array_equal(found["ids"], eager.ids)
        np.testing.assert_allclose(found["scores"], eager.scores, atol=1e-6)


@pytest.mark.parametrize("known", [True, False])
def test_a_batch_that_is_known_beforehand_or_not(known):
    """And a beam that is a tensor."""
    table = Table(4, size=5)

    @tf.function(
        input_signature=[
            tf.TensorSpec([3 if known else None], tf.int32),
            tf.TensorSpec([], tf.int32),
        ]
    )
    def search(start, beam):
        state = table.state(3 if known else tf.shape(start)[0])
        fixed = decoding.beam_search(table.step, state, start, END, 2, 6)
        return (
            fixed,
            decoding.beam_search(table.step, state, start, END, beam, 6),
            decoding.greedy(table.step, state, start, END, 6),
        )

    fixed, given, greedy = search(tf.constant([0, 2, 3]), 2)
    for one, other in zip(fixed, given, strict=True):
        np.testing.assert_allclose(one, other)
    assert fixed.ids.shape == (3, 2, 6)
    assert greedy.ids.shape == (3, 6)


def by_definition(table, start, beam, most, alpha):
    """Beam search over every continuation of every hypothesis, one row, in plain Python: the best,
    (score, ids).
    """
    alive, ended = [(0.0, (), start, table.state(1))], []
    for place in range(most):
        everything = []
        for total, ids, last, state in alive:
            logits, after = table.step(tf.constant([last]), state)
            logs = tf.nn.log_softmax(logits)[0].numpy()
            everything += [(total + float(logs[n]), (*ids, n), n, after) for n in range(table.size)]
        everything.sort(key=lambda each: -each[0])
        penalty = ((5 + place + 1) / 6) ** alpha
        ended += [
            (total / penalty, ids) for total, ids, last, _ in everything[:beam] if last == END
        ]
        alive = [each for each in everything if each[2] != END][:beam]
        if len(ended) >= beam:
            break
    else:
        ended += [(total / penalty, ids) for total, ids, _, _ in alive]
    return sorted(ended, reverse=True)[:beam]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("beam", [1, 2, 4])
def test_a_narrow_beam_looks_at_every_continuation(seed, beam):
    table = Table(seed, size=7, depth=4)
    found = decoding.beam_search(table.step, table.state(1), tf.constant([2]), END, beam, 5, 0, 0.6)
    for number, (score, ids) in enumerate(by_definition(table, 2, beam, 5, 0.6)):
        assert found.ids[0, number, : len(ids)].numpy().tolist() == list(ids)
        assert float(found.scores[0, number]) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("beam", [3, 5])
def test_slots_that_no_sequence_fills_are_empty(beam):
    """With one token, which may not be the end, there are two sequences."""
    table = Table(0)
    found = searched(table, [0, 2], beam, 1, min_length=2)
    filled = found.scores.numpy() > -np.inf
    assert filled.sum(axis=1).tolist() == [2, 2]
    np.testing.assert_array_equal(found.ids.numpy()[~filled], 0)
    np.testing.assert_array_equal(found.lengths.numpy(), filled)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.5])
def test_the_length_penalty_is_that_of_the_paper(alpha):
    """((5 + length) / 6) ** alpha (arXiv 1609.08144, eq. 14): by the plain scores of the same."""
    table = Table(4)
    plain = searched(table, [0], 3**4, 4, length_penalty=0.0)
    found = searched(table, [0], 3**4, 4, length_penalty=alpha)

    def scores(decoded):
        rows = zip(decoded.ids[0].numpy(), decoded.lengths[0].numpy(), strict=True)
        keys = [tuple(ids[:length]) for ids, length in rows]
        return dict(zip(keys, decoded.scores[0].numpy(), strict=True))

    before = scores(plain)
    for ids, score in scores(found).items():
        if np.isfinite(score):
            assert score == pytest.approx(before[ids] / ((5 + len(ids)) / 6) ** alpha, abs=1e-4)


@pytest.mark.parametrize("rows", [1, 3])
def test_greedy_is_the_best_token_at_every_step(rows):
    table = Table(7, size=5)
    starts = list(range(rows))
    found = decoding.greedy(table.step, table.state(rows), tf.constant(starts), END, 6)
    for row, start in enumerate(starts):
        token, state = tf.constant([start]), table.state(1)
        expected = []
        total = 0.0
        while len(expected) < 6 and END not in expected:
            logits, state = table.step(token, state)
            token = tf.argmax(logits, -1, tf.int32)
            total += float(tf.nn.log_softmax(logits)[0, int(token[0])])
            expected.append(int(token[0]))
        length = int(found.lengths[row])
        assert found.ids[row].numpy()[:length].tolist() == expected
        assert not found.ids[row].numpy()[length:].any()
        assert float(found.scores[row]) == pytest.approx(total, abs=1e-4)
