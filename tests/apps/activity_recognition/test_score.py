"""What a report says of early answers and of the order of frames."""

import types

import numpy as np
import pytest

from apps.activity_recognition import score
from rnnsuite.app import Asked
from rnnsuite.core.errors import UserError

LABELS = ("fall", "rise")


def records():
    """Clips whose numbers rise, or fall."""
    return [
        {
            "values": np.arange(8.0)[:: 1 if label == "rise" else -1, None],
            "label": label.encode(),
            "id": f"clip {number}".encode(),
            "person": b"p",
        }
        for number, label in enumerate(["rise", "fall", "rise", "fall"])
    ]


def answer(values, count=None):
    """Of one who looks at the first and the last number."""
    part = values[:count]
    rises = part[-1, 0] > part[0, 0]
    return np.array([1 - rises, rises], float)


class Model:
    """Says fall until half of a clip has gone by."""

    def ask(self, asked, signature, options=None):
        rows = [record["values"] for record in asked]
        if signature == "causal":
            shares = [
                np.stack([answer(x, n) if n > 4 else np.array([1.0, 0.0]) for n in range(1, 9)])
                for x in rows
            ]
            return {"probabilities": shares}
        shares = np.stack([answer(x) for x in rows])
        labels = [LABELS[row.argmax()].encode() for row in shares]
        weights = [np.full(len(x), 1 / len(x)) for x in rows]
        return {"label": labels, "probabilities": shares, "weights": weights}


def asked(signatures=("serving_default", "causal")):
    fitted = types.SimpleNamespace(labels=LABELS)
    return Asked(ask=Model().ask, signatures=signatures, config=None, fitted=fitted)


def test_answers_after_each_share_of_a_clip():
    rows = score.tables(asked(), records())["As a stream"]
    assert [row["accuracy"] for row in rows] == [0.5, 0.5, 1.0, 1.0]
    assert [row["of the clip"] for row in rows] == ["25%", "50%", "75%", "100%"]


def test_clips_that_run_backwards_are_others():
    forwards, backwards = score.tables(asked(), records())["Order of frames"]
    assert (forwards["accuracy"], backwards["accuracy"]) == (1.0, 0.0)


def test_of_a_form_without_a_stream_only_the_order_is_said():
    assert set(score.tables(asked(["serving_default"]), records())) == {"Order of frames"}


def test_cases_name_clip_and_person():
    found = score.score(records(), Model().ask(records(), "serving_default"))
    assert found.metrics == {"accuracy": 1.0, "macro_f1": 1.0}
    assert found.right[0]["clip"].startswith("clip ")
    assert found.right[0]["frames"] == 8
    assert not found.wrong
    assert found.tables["By class"][0]["class"] == "fall"


def test_the_first_step_is_asked_of_a_clip_of_one():
    assert score._at(np.array([[0.3, 0.7]]), 0.25).tolist() == [0.3, 0.7]


def test_without_labels_nothing_is_scored():
    unlabelled = [{**record, "label": b""} for record in records()]
    with pytest.raises(UserError, match="records without a label"):
        score.score(unlabelled, Model().ask(unlabelled, "serving_default"))
