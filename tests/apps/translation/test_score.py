import numpy as np
import pytest
import sacrebleu

from apps.translation.score import by_length, figures, score
from rnnsuite.core.errors import UserError

TRUTH = ["Der Hund läuft durch den Garten.", "Zwei Männer, die reden.", 'Das ist "gut".']
GIVEN = ["Der Hund läuft durch den Wald.", "Zwei Männer, die reden.", "Es war schlecht"]


def records(truth=TRUTH):
    return [{"text": b"a b", "translation": each.encode(), "language": b"de"} for each in truth]


def answers(given):
    return {"text": np.array([each.encode() for each in given], object)}


def test_perfect_and_worthless():
    assert score(records(), answers(TRUTH)).metrics == pytest.approx(
        {"bleu": 100, "chrf": 100, "bleu_tokenised": 100}
    )
    assert score(records(), answers(["x"] * 3)).metrics["bleu"] < 1


def test_is_sacrebleus_with_its_signature():
    found = score(records(), answers(GIVEN))
    assert found.metrics["bleu"] == sacrebleu.corpus_bleu(GIVEN, [TRUTH]).score
    assert found.metrics["chrf"] == sacrebleu.corpus_chrf(GIVEN, [TRUTH]).score
    assert "tok:13a" in found.notes["bleu"]
    assert "version:" in found.notes["bleu"]
    assert "nc:6" in found.notes["chrf"]


def test_the_tokenised_one_takes_no_notice_of_case_but_of_marks():
    found = score(records(), answers([each.lower() for each in TRUTH])).metrics
    assert found["bleu_tokenised"] == pytest.approx(100)
    assert found["bleu"] < 60
    parted = "zwei männer , die reden .", "das ist &quot; gut &quot; ."
    expected = sacrebleu.corpus_bleu(
        [parted[0]] * 2, [list(parted)], tokenize="none", force=True
    ).score
    given = score(records(TRUTH[1:]), answers([TRUTH[1]] * 2)).metrics["bleu_tokenised"]
    assert given == pytest.approx(expected)


def test_cases_from_worst_to_best():
    found = score(records(), answers(GIVEN))
    assert [case["answer"] for case in found.right] == [GIVEN[1], GIVEN[0], GIVEN[2]]
    assert found.wrong[0]["answer"] == GIVEN[2]


def test_a_record_without_a_translation():
    with pytest.raises(UserError, match="without a translation"):
        score(records(["", "b", "c"]), answers(GIVEN))


def test_length_curve_goes_from_short_to_long():
    sources = ["a " * n for n in range(1, 13)]
    curve = by_length(
        sources, ["Der Hund läuft weg."] * 6 + ["x"] * 6, ["Der Hund läuft weg."] * 12
    )
    assert [words for words, _ in curve] == [1.5, 3.5, 5.5, 7.5, 9.5, 11.5]
    assert curve[0][1] == pytest.approx(100)
    assert curve[-1][1] < 1


def test_pictures_are_drawn_of_aligned_tokens():
    asked = []

    def ask(given, signature):
        asked.append((given[0]["text"], signature))
        tokens = {
            "source_tokens": np.array([[b"\xe2\x96\x81a", b"b"]], object),
            "target_tokens": np.array([[b"c"]], object),
        }
        return {**tokens, "weights": np.array([[[0.3, 0.7]]]), "text": np.array([b"c"])}

    drawn = figures(ask, [{"text": b"x" * n} for n in range(1, 21)])
    assert not asked  # on demand only
    drawings = [draw() for draw in drawn.values()]
    assert [len(text) for text, _ in asked] == [3, 11, 15, 19]
    assert {signature for _, signature in asked} == {"align"}
    axes = drawings[0].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["▁a", "b"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c"]
