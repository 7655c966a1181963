"""Events in whole recordings: the graph's are those that a `Detector` finds as steps come."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnsuite.device.events import Event
from rnnsuite.tasks.detection import events
from rnnsuite.tasks.detection.events import Following, Rules


def in_graph(probabilities, rules):
    shape = [None, None, probabilities.shape[-1]]
    function = tf.function(
        lambda rows: events.of_shares(rows, rules),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    )
    return {name: value.numpy() for name, value in function(probabilities).items()}


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.6, 0.85]),
    st.booleans(),
)
def test_the_graph_finds_what_a_detector_finds(classes, pause, shortest, threshold, exclusive):
    rng = np.random.default_rng(len(classes))
    shares = 0.05 + rng.random([len(classes), 4]) * 0.2
    shares[np.arange(len(classes)), classes] += rng.choice([0.6, 3.0], len(classes))
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    rules = Rules(threshold, pause, shortest, exclusive)
    found = in_graph(shares[None], rules)
    expected = events.of_rows(shares, rules)
    np.testing.assert_array_equal(found["event"][0], expected["event"])
    np.testing.assert_allclose(found["confidence"][0], expected["confidence"], atol=1e-5)


def test_pauses_are_bridged_and_short_events_left_out():
    flags = np.array([[0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1]], bool)
    assert events.numbered(flags, 2, 1).numpy().tolist() == [
        [0, 1, 1, 1, 0, 0, 0, 2, 0, 0, 0, 3, 3, 3]
    ]
    assert events.numbered(flags, 2, 2).numpy().tolist() == [
        [0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2]
    ]
    assert events.numbered(np.zeros([2, 3], bool), 2, 1).numpy().tolist() == [[0, 0, 0]] * 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 3))
def test_numbers_are_those_of_the_rules_for_scores(flags, pause, shortest):
    scores = np.where(flags, 5.0, 1.0)
    detector = events.detector(pause, shortest)
    found = [*detector.feed(events.shares(scores, 5.0)), *detector.end()]
    expected = [(event.start, event.end - 1) for event in found]
    assert events.spans(scores >= 5.0, pause, shortest) == expected
    numbers = events.numbered(np.array([flags]), pause, shortest).numpy()[0]
    assert [(event.start, event.end) for event in events.of_numbers(numbers)] == expected
    for number, (first, last) in enumerate(expected, 1):
        assert set(numbers[int(first) : int(last) + 1]) == {number}


def test_several_classes_at_once_are_followed_each_by_itself():
    p = np.zeros([12, 3])
    p[2:6, 1] = 0.9
    p[4:9, 2] = 0.8
    p[:, 0] = 1 - p.max(axis=1)
    following = Following(Rules(0.5, 2, 1, exclusive=False), ["a", "b"])
    ended = [event for row in p for event in following.feed(row[None])]
    assert [(event.label, event.start, event.end) for event in ended] == [("a", 2, 6), ("b", 4, 9)]
    whole = Following(Rules(0.5, 2, 1, exclusive=True), ["a", "b"])
    (event,) = [*whole.feed(p), *whole.end()]
    assert (event.label, event.start, event.end) == ("b", 2, 9)


def test_shares_are_one_half_at_the_threshold():
    rows = events.shares(np.array([0.0, 1.9999999, 2.0, 6.0, 1e30]), 2.0)
    assert (rows[:, 1] >= 0.5).tolist() == [False, False, True, True, True]
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert events.shares(np.zeros(2), 0.0)[0, 1] == 0.5


def test_events_of_an_answer_that_touch_are_two():
    answer = {
        "event": np.array([[1, 0], [2, 0], [2, 1], [0, 1]]),
        "confidence": np.array([[0.9, 0], [0.8, 0], [0.8, 0.7], [0, 0.7]]),
    }
    assert events.of_answer(answer, ["a", "b"], 0.5) == [
        Event("a", 0.0, 0.5, pytest.approx(0.9)),
        Event("a", 0.5, 1.5, pytest.approx(0.8)),
        Event("b", 1.0, 2.0, pytest.approx(0.7)),
    ]
