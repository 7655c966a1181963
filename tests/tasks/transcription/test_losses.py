"""Connectionist temporal classification against every alignment, and against TensorFlow's."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.tasks.transcription.losses import ctc_loss, framed, label_priors, needed_steps


def collapsed(path):
    """The symbols of an alignment: repeats once, blanks left out (Graves 2006, section 3.1)."""
    return tuple(c for place, c in enumerate(path) if c and (not place or path[place - 1] != c))


def by_hand(logits, ids):
    """Minus the logarithm of the summed probabilities of all alignments."""
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    time, classes = logs.shape
    paths = itertools.product(range(classes), repeat=time)
    sums = [sum(logs[t, c] for t, c in enumerate(path)) for path in paths if collapsed(path) == ids]
    return -np.logaddexp.reduce(sums) if sums else 0.0


@pytest.mark.parametrize("ids", [(1,), (1, 2), (1, 1), (2, 1, 2), ()])
def test_equals_the_sum_over_all_alignments(ids):
    rng = np.random.default_rng(len(ids))
    logits = rng.normal(size=(2, 5, 3)).astype("f")
    padded = np.zeros([2, 4], "i4")
    padded[:, : len(ids)] = ids
    steps = np.array([5, 3], "i4")
    found = ctc_loss(tf.constant(logits), tf.constant(steps), tf.constant(padded))
    expected = [by_hand(row[:count], ids) for row, count in zip(logits, steps, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_discount_is_paid_at_every_step():
    """Of the posteriors, not of what they would be with it: so it is not learned away."""
    rng = np.random.default_rng(8)
    logits = rng.normal(size=(5, 3))
    discount = np.array([0.7, -0.2, 0.1])
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)) - discount
    paths = [path for path in itertools.product(range(3), repeat=5) if collapsed(path) == (1, 2)]
    expected = -np.logaddexp.reduce([sum(logs[t, c] for t, c in enumerate(p)) for p in paths])
    given = tf.constant([5]), tf.constant([[1, 2]]), tf.constant(discount, tf.float32)
    x = tf.constant(logits[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = ctc_loss(x, *given)
    np.testing.assert_allclose(value, [expected], atol=1e-5)
    direction = rng.normal(size=x.shape).astype("f")
    higher, lower = (ctc_loss(x + sign * 1e-2 * direction, *given) for sign in (1, -1))
    slope = np.sum(tape.gradient(value, x) * direction)
    np.testing.assert_allclose(slope, (higher - lower)[0] / 2e-2, rtol=1e-2)


def test_priors_are_means_over_the_steps_that_count():
    logits = np.random.default_rng(9).normal(size=(2, 4, 3)).astype("f")
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    counted = np.concatenate([shares[0], shares[1, :1]])
    found = label_priors(tf.constant(logits), tf.constant([4, 1]))
    np.testing.assert_allclose(np.exp(found), counted.mean(axis=0), atol=1e-5)


def test_silence_stands_around_symbols():
    ids = tf.constant([[5, 6, 7], [4, 0, 0], [0, 0, 0]])
    assert framed(ids).numpy().tolist() == [[2, 5, 6, 7, 3], [2, 4, 3, 0, 0], [2, 3, 0, 0, 0]]


def losses(function, logits):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = function(logits)
        weighted = tf.reduce_sum(values * [1.0, 2.0, -0.5, 3.0])
    return values, tape.gradient(weighted, logits)


def test_equals_tensorflow_with_its_gradient():
    rng = np.random.default_rng(0)
    logits = tf.constant(rng.normal(size=(4, 12, 6)), tf.float32)
    steps = np.array([12, 10, 8, 12], "i4")
    ids = np.array([[1, 1, 2, 0], [3, 0, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]], "i4")
    sizes = (ids != 0).sum(axis=1)

    def theirs(x):
        options = {"logits_time_major": False, "blank_index": 0}
        return tf.nn.ctc_loss(ids, x, sizes, steps, **options)

    def ours(x):
        return ctc_loss(x, tf.constant(steps), tf.constant(ids))

    for found, expected in zip(losses(ours, logits), losses(theirs, logits), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(1, 6, 4))
    side = rng.normal(size=logits.shape)
    ids = tf.constant([[2, 3, 3]])

    def value(x):
        return float(ctc_loss(tf.constant(x, tf.float32), tf.constant([6]), ids)[0])

    x = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = ctc_loss(x, tf.constant([6]), ids)
    slope = float(tf.reduce_sum(tape.gradient(loss, x) * side))
    measured = (value(logits + 1e-2 * side) - value(logits - 1e-2 * side)) / 2e-2
    assert slope == pytest.approx(measured, rel=5e-3, abs=1e-3)


def test_symbols_that_need_more_steps_than_there_are_teach_nothing():
    logits = tf.random.normal([2, 3, 4], seed=0)
    ids = tf.constant([[1, 1, 0], [1, 2, 3]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = ctc_loss(logits, tf.constant([2, 3]), ids)
    gradient = tape.gradient(loss, logits)
    assert loss[0] == 0
    assert loss[1] > 0
    assert np.abs(gradient[0]).max() == 0
    assert np.abs(gradient[1]).max() > 0


def test_padding_changes_nothing():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(1, 8, 4)).astype("f")
    longer = np.concatenate([logits, np.full([1, 5, 4], 7, "f")], axis=1)
    ids = tf.constant([[1, 3, 0, 0]])
    alone = ctc_loss(tf.constant(logits), tf.constant([8]), ids[:, :2])
    padded = ctc_loss(tf.constant(longer), tf.constant([8]), ids)
    np.testing.assert_allclose(alone, padded, atol=1e-5)


def test_needed_steps():
    ids = tf.constant([[1, 1, 1, 0], [1, 2, 1, 2], [0, 0, 0, 0]])
    assert needed_steps(ids).numpy().tolist() == [5, 4, 0]
