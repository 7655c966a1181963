"""What samples of activities, videos and pictures must teach: order, and arrangement."""

import pytest

from rnnsuite.pipeline.inference.evaluate import evaluate
from tests.learned.test_learned import trained

pytestmark = pytest.mark.learns


def test_activities_that_are_others_backwards_are_told_apart(tmp_path):
    app = trained("activity_recognition", tmp_path / "run")
    evaluation = evaluate(app, tmp_path / "run", split="test")
    assert evaluation.score.metrics["accuracy"] >= 0.97
    forwards, backwards = evaluation.score.tables["Order of frames"]
    assert backwards["accuracy"] < 0.6 < forwards["accuracy"]
    so_far = {row["of the clip"]: row["accuracy"] for row in evaluation.score.tables["As a stream"]}
    assert so_far["25%"] < so_far["100%"]
    assert so_far["100%"] >= 0.95


def test_what_moves_where_is_said_exactly(tmp_path):
    app = trained("video_captioning", tmp_path / "run")
    evaluation = evaluate(app, tmp_path / "run", split="test")
    assert evaluation.score.metrics["exact_match"] >= 0.85
    assert evaluation.floor["exact_match"] < 0.5


def test_arrangements_of_the_same_parts_are_told_apart(tmp_path):
    app = trained("object_recognition", tmp_path / "run")
    evaluation = evaluate(app, tmp_path / "run", split="test")
    assert evaluation.score.metrics["accuracy"] >= 0.97
    _, shuffled = evaluation.score.tables["Arrangement of patches"]
    assert shuffled["accuracy"] < 0.5
    assert evaluation.floor["accuracy"] < 0.6
