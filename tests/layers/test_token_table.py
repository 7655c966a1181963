"""One table at both ends: embedding, and full, adaptive and sampled softmax, against numpy."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.layers import TokenTable

RANDOM = np.random.default_rng(3)
SIZE = 30
WIDTH = 16


def made(cutoffs=(), **options):
    keras.utils.set_random_seed(5)
    table = TokenTable(SIZE, WIDTH, cutoffs=cutoffs, **options)
    table(tf.zeros([1, 1], tf.int32))
    for weight in table.weights:
        if "seed" not in weight.path:
            weight.assign(RANDOM.normal(size=weight.shape).astype("float32") * 0.4)
    return table


def log_softmax(scores):
    scores = scores - scores.max(-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def reference(table, x, temperature=1.0):
    """Log P of every token, cluster by cluster, straight from arXiv 1609.04309, section 4."""
    tables = [np.asarray(weight) for weight in table.tables]
    biases = [np.asarray(weight) for weight in table.biases]
    projections = [np.asarray(weight) for weight in table.projections]
    head = log_softmax((x @ tables[0].T + biases[0]) / temperature)
    first = table.bounds[1]
    parts = [head[:, :first]]
    for number, projection in enumerate(projections, 1):
        scores = x @ projection.T @ tables[number].T + biases[number]
        tail = log_softmax(scores / temperature)
        parts.append(tail + head[:, first + number - 1, None])
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("cutoffs", [(), (7,), (5, 12), (1, 4, 27)])
class TestSoftmax:
    def test_log_probabilities(self, cutoffs):
        table = made(cutoffs)
        x = RANDOM.normal(size=[6, WIDTH]).astype("float32")
        logs = table.log_probabilities(x)
        np.testing.assert_allclose(logs, reference(table, x), atol=2e-5)
        np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1, atol=1e-5)

    def test_losses_are_those_of_the_targets(self, cutoffs):
        table = made(cutoffs)
        x = RANDOM.normal(size=[3, SIZE, WIDTH]).astype("float32")
        targets = np.stack([RANDOM.permutation(SIZE) for _ in range(3)]).astype("int32")
        losses = table(x, targets=targets)
        logs = reference(table, x.reshape(-1, WIDTH))
        wanted = -logs[np.arange(3 * SIZE), targets.reshape(-1)].reshape(3, SIZE)
        np.testing.assert_allclose(losses, wanted, atol=2e-5)

    def test_a_temperature_divides_the_scores(self, cutoffs):
        table = made(cutoffs)
        x = RANDOM.normal(size=[1, SIZE, WIDTH]).astype("float32")
        targets = RANDOM.permutation(SIZE).astype("int32")
        wanted = reference(table, x[0], 1.7)
        np.testing.assert_allclose(table.log_probabilities(x[0], 1.7), wanted, atol=2e-5)
        losses = table(x, targets=targets[None], temperature=1.7)[0]
        np.testing.assert_allclose(losses, -wanted[np.arange(SIZE), targets], atol=2e-5)

    def test_vectors_are_the_rows_of_the_same_tables(self, cutoffs):
        """Of a rare token, its narrow row through the projection (arXiv 1809.10853)."""
        table = made(cutoffs)
        vectors = table(np.arange(SIZE, dtype="int32")[None])[0]
        for number, (low, high) in enumerate(itertools.pairwise(table.bounds)):
            rows = np.asarray(table.tables[number])[: high - low]
            if number:
                rows = rows @ np.asarray(table.projections[number - 1])
            np.testing.assert_allclose(vectors[low:high], rows, atol=1e-5)

    def test_every_weight_has_its_gradient_at_both_ends(self, cutoffs):
        table = made(cutoffs)
        ids = np.arange(SIZE, dtype="int32")[None]
        with tf.GradientTape() as tape:
            losses = table(table(ids), targets=ids)
            total = tf.reduce_sum(losses)
        for weight, gradient in zip(
            table.trainable_variables,
            tape.gradient(total, [weight.value for weight in table.trainable_variables]),
            strict=True,
        ):
            assert gradient is not None, weight.path
            assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


def test_rare_tokens_have_narrower_vectors():
    table = TokenTable(5000, 256, cutoffs=(500, 1500))
    table(tf.zeros([1, 1], tf.int32))
    assert [tuple(weight.shape) for weight in table.tables] == [(502, 256), (1000, 64), (3500, 16)]
    assert table.count_params() < 5000 * 256 / 4


class TestSampled:
    def test_the_correction_is_the_logarithm_of_what_is_expected(self):
        """Zipf's law: P(k) = log((k + 2) / (k + 1)) / log(size + 1)."""
        table = made(samples=8)
        shares = np.exp(table._log_expected(tf.range(SIZE))) / 8
        wanted = [math.log((k + 2) / (k + 1)) / math.log(SIZE + 1) for k in range(SIZE)]
        np.testing.assert_allclose(shares, wanted, rtol=1e-4)
        assert sum(wanted) == pytest.approx(1)

    def test_tokens_are_drawn_by_that_law(self):
        table = TokenTable(SIZE, 2, samples=SIZE)
        table(tf.zeros([1, 1], tf.int32))
        uniform = np.linspace(0, 1, 100_001)[:-1]
        drawn = np.exp(uniform * math.log(SIZE + 1)) - 1
        counts = np.bincount(drawn.astype(int), minlength=SIZE) / len(drawn)
        shares = np.exp(table._log_expected(tf.range(SIZE))) / SIZE
        np.testing.assert_allclose(counts, shares, atol=1e-3)

    def test_on_average_its_gradient_is_nearly_that_of_the_full_softmax(self):
        """Many samples of a small vocabulary: the bias of sampling is small."""
        x = RANDOM.normal(size=[1, 4, WIDTH]).astype("float32")
        targets = np.array([[0, 3, 11, 25]], np.int32)
        full = made()
        sampled = made(samples=SIZE)
        sampled.samples = 3000
        for weight, value in zip(sampled.trainable_weights, full.trainable_weights, strict=True):
            weight.assign(value)
        wanted = gradient_of(full, x, targets, training=False)
        found = np.mean([gradient_of(sampled, x, targets, True) for _ in range(30)], axis=0)
        assert np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max()

    def test_the_target_itself_is_no_other_token(self):
        """A target that is certain costs nothing, however often it is drawn."""
        table = made(samples=4)
        table.samples = 50
        table.tables[0].assign(np.zeros([SIZE, WIDTH], "float32"))
        table.biases[0].assign(np.where(np.arange(SIZE) == 0, 30.0, 0.0).astype("float32"))
        x = RANDOM.normal(size=[1, 1, WIDTH]).astype("float32")
        for _ in range(5):
            assert table(x, targets=[[0]], training=True).numpy().item() < 1e-4

    def test_outside_training_all_tokens_count(self):
        table = made(samples=3)
        x = RANDOM.normal(size=[1, 2, WIDTH]).astype("float32")
        losses = table(x, targets=[[1, 2]])
        logs = reference(table, x[0])
        np.testing.assert_allclose(losses[0], [-logs[0, 1], -logs[1, 2]], atol=1e-5)


def gradient_of(table, x, targets, training):
    with tf.GradientTape() as tape:
        x = tf.constant(x)
        tape.watch(x)
        loss = tf.reduce_sum(table(x, targets=targets, training=training))
    return tape.gradient(loss, x).numpy()


class TestDropout:
    def test_a_token_is_dropped_wherever_it_stands(self):
        table = made(dropout=0.5)
        ids = np.array([[1, 2, 3, 1, 2, 3], [3, 3, 2, 2, 1, 1]], np.int32)
        vectors = table(ids, training=True).numpy()
        plain = table(ids).numpy()
        factors = {}
        for number, vector, whole in zip(
            ids.reshape(-1), vectors.reshape(-1, WIDTH), plain.reshape(-1, WIDTH), strict=True
        ):
            factor = 0.0 if not vector.any() else 2.0
            np.testing.assert_allclose(vector, factor * whole, rtol=1e-5)
            assert factors.setdefault(int(number), factor) == factor

    def test_about_its_share_is_dropped(self):
        table = TokenTable(4000, 1, dropout=0.25)
        ids = np.arange(4000, dtype="int32")[None]
        table(ids)
        table.tables[0].assign(np.ones([4000, 1], "float32"))
        dropped = np.mean(table(ids, training=True).numpy() == 0)
        assert 0.2 < dropped < 0.3

    def test_never_outside_training(self):
        table = made(dropout=0.9)
        ids = np.arange(SIZE, dtype="int32")[None]
        np.testing.assert_array_equal(table(ids), table(ids))
        assert np.abs(table(ids)).max(axis=-1).min() > 0


@pytest.mark.parametrize("cutoffs", [(5, 5), (9, 3), (0,), (SIZE,), (SIZE + 4,)])
def test_cutoffs_that_do_not_rise_are_refused(cutoffs):
    with pytest.raises(ValueError, match="must rise between 0 and the 30 tokens"):
        TokenTable(SIZE, WIDTH, cutoffs=cutoffs)


def test_clusters_and_samples_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other"):
        TokenTable(SIZE, WIDTH, cutoffs=(5,), samples=3)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, SIZE - 1), max_size=4), st.integers(0, 2**31 - 1))
def test_probabilities_sum_to_one_whatever_the_clusters(cutoffs, seed):
    table = made(tuple(sorted(cutoffs)))
    x = np.random.default_rng(seed).normal(size=[2, WIDTH]).astype("float32") * 3
    np.testing.assert_allclose(np.exp(table.log_probabilities(x)).sum(axis=1), 1, atol=1e-4)
