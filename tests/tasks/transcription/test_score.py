"""Error rates, by hand."""

import pytest

from rnnsuite.core.errors import UserError
from rnnsuite.tasks.transcription.score import score

SAID = [("one two three", "ann"), ("four", "ben"), ("five six", "ben")]


def scored(written, said=SAID, **options):
    references = [{"text": text, "speaker": speaker} for text, speaker in said]
    return score(references, {"text": written}, **options)


def test_without_an_error():
    result = scored([text for text, _ in SAID])
    assert result.metrics == {"wer": 0.0, "cer": 0.0, "exact_match": 1.0}
    assert not result.wrong
    assert len(result.right) == 3


def test_errors_are_shares_of_what_was_said():
    result = scored(["one too three", "", "five six seven"])
    assert result.metrics["wer"] == pytest.approx(3 / 6)
    shares = [
        result.neutral[f"word_{kind}"] for kind in ("substitutions", "deletions", "insertions")
    ]
    assert shares == pytest.approx([1 / 6] * 3)
    assert result.metrics["cer"] == pytest.approx((1 + 4 + 6) / (13 + 4 + 8))
    assert result.metrics["exact_match"] == 0
    assert {"said": "one two three", "written": "one too three"} in result.wrong
    assert {"said": "four", "written": "***"} in result.wrong
    assert {"said": "five six ***", "written": "five six seven"} in result.wrong


def test_by_speaker_and_by_length():
    tables = scored(["one two three", "", "five six"]).tables
    assert tables["Speakers"][0] == {"speaker": "ben", "recordings": 2, "words": 3, "wer": 1 / 3}
    assert tables["Words"][0]["words, up to"] == "1"


def test_what_is_written_where_nothing_was_said_is_inserted():
    result = scored(["one two three", "four", "and more"], [*SAID[:2], ("", "ben")])
    assert result.metrics["wer"] == pytest.approx(2 / 4)


def test_characters_that_training_did_not_have_are_told():
    note = scored(["a"] * 3, alphabet=list("onetwhrfu ")).notes["wer"]
    assert "4 characters of the transcripts are not in training: i s v x" in note


def test_nothing_said_at_all():
    with pytest.raises(UserError, match="no transcripts"):
        scored(["a"], [(" ", "ann")])
