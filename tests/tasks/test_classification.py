"""Classification: loss, answers, labels and scores by hand."""

import numpy as np
import pytest
import tensorflow as tf

from rnnsuite.core.errors import UserError
from rnnsuite.tasks import classification

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0], [1.0, 2.0, 0.0]], np.float32)
TRUTH = np.array([0, 1, 1], np.int32)
LABELS = ("cat", "dog", "owl")


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def test_loss_is_the_cross_entropy_of_each_row():
    found = classification.loss(tf.constant(TRUTH), tf.constant(LOGITS))
    expected = -np.log(softmax(LOGITS)[np.arange(3), TRUTH])
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-5)
    np.testing.assert_array_equal(found["accuracy"], [1, 0, 1])


def test_probabilities_and_the_label_in_front():
    outputs = {"logits": tf.constant(LOGITS), "weights": tf.ones([3, 4])}
    shares = classification.probabilities(outputs)
    np.testing.assert_allclose(shares["probabilities"], softmax(LOGITS), rtol=1e-5)
    answer = classification.with_label(LABELS, shares)
    assert list(answer) == ["label", "probabilities", "weights"]
    assert answer["label"].numpy().tolist() == [b"cat", b"owl", b"dog"]


def test_labels_come_back_from_their_file(tmp_path):
    labels = ["a b", "ä", "日本"]
    (tmp_path / classification.LABELS).write_bytes(classification.labels_file(labels))
    assert classification.read_labels(tmp_path) == labels


def test_the_answer_of_a_device():
    answer = classification.device_answer(LABELS, {"probabilities": softmax(LOGITS)[1:2]})
    assert answer["label"] == b"owl"
    assert answer["probabilities"].shape == (3,)


def answers(labels, confidence):
    shares = np.array([[c, 1 - c] for c in confidence])
    return {"label": np.array([label.encode() for label in labels]), "probabilities": shares}


def scored(truth, labels, confidence):
    records = [{"label": label.encode(), "n": n} for n, label in enumerate(truth)]
    found = answers(labels, confidence)
    return classification.score(records, found, lambda record: {"record": record["n"]})


def test_accuracy_f1_and_cases_by_confidence():
    found = scored("aabb", "aaab", [0.6, 0.9, 0.8, 0.7])
    assert found.metrics["accuracy"] == 0.75
    assert found.metrics["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert [case["record"] for case in found.right] == [1, 3, 0]
    assert found.wrong == [{"record": 2, "label": "b", "answer": "a", "confidence": 0.8}]
    assert found.metrics.keys() == classification.METRICS.keys()


@pytest.mark.parametrize("truth", ["ab", "aa"])
def test_plots_are_drawn_also_of_one_class(truth):
    plots = scored(truth, "aa", [0.9, 0.6]).plots
    assert list(plots) == ["Confusion", "Confidence"]
    assert all(draw().axes for draw in plots.values())


def test_records_without_a_label():
    with pytest.raises(UserError, match="records without a label"):
        scored(["a", ""], "aa", [0.9, 0.6])


def test_smoothed_cross_entropy_is_against_smoothed_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=[2, 3, 4])
    numbers = rng.integers(0, 4, size=[2, 3])
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    for smoothing in (0.0, 0.2):
        labels = (1 - smoothing) * np.eye(4)[numbers] + smoothing / 4
        expected = -(labels * np.log(shares)).sum(-1)
        found = classification.cross_entropy(tf.constant(numbers), tf.constant(logits), smoothing)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
