"""The rule by which transcripts are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnsuite.data.transcripts import TranscriptsConfig, normalised


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  World!", "hello world"),
        ("It\u2019s the dogs' bone", "it's the dogs bone"),
        ("a 42-year-old", "a four two year old"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u00a35 \u2014 \u201cyes\u201d", "five yes"),
        ("...", ""),
        ("tab\tand\nline\x00end", "tab and line end"),
    ],
)
def test_words_alone(text, expected):
    assert normalised(text, TranscriptsConfig()) == expected


def test_what_is_kept():
    config = TranscriptsConfig(case="upper", punctuation="keep", digits="keep")
    assert normalised("it's 5, now.", config) == "IT'S 5, NOW."
    assert normalised("Aa", TranscriptsConfig(case="keep")) == "Aa"


@given(st.text())
def test_what_is_normal_stays(text):
    config = TranscriptsConfig()
    once = normalised(text, config)
    assert normalised(once, config) == once
    assert "  " not in once
    assert once == once.strip()
