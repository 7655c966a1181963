import numpy as np
import pytest

from apps.sentiment.score import score
from rnnsuite.core.errors import UserError

REFERENCES = [{"text": f"t{i}", "label": label} for i, label in enumerate(["a", "a", "a", "b"])]
ANSWERS = {
    "label": np.array([b"a", b"a", b"b", b"b"]),
    "probabilities": np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]]),
}


def test_metrics_by_hand():
    metrics = score(REFERENCES, ANSWERS).metrics
    assert metrics["accuracy"] == 0.75
    # F1 of a: precision 1, recall 2/3; of b: precision 1/2, recall 1.
    assert metrics["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)


def test_surest_cases_come_first():
    found = score(REFERENCES, ANSWERS)
    assert [case["text"] for case in found.right] == ["t0", "t3", "t1"]
    assert [case["text"] for case in found.wrong] == ["t2"]


def test_plots_draw():
    for draw in score(REFERENCES, ANSWERS).plots.values():
        assert draw().axes


def test_unlabelled_records_cannot_be_scored():
    with pytest.raises(UserError, match="without a label"):
        score([{"text": "t", "label": b""}] * 4, ANSWERS)
