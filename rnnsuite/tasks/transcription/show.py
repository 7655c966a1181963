"""A transcript for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite.core.text import as_text


def show(fitted: Any, answer: Mapping[str, Any]) -> Sequence[str]:
    """The text, and below it when each word is said."""
    rows = zip(
        answer.get("words", ()), answer.get("starts", ()), answer.get("ends", ()), strict=True
    )
    words = [(as_text(word), start, end) for word, start, end in rows]
    times = [f"  {start:6.2f} to {end:6.2f} s  {word}" for word, start, end in words if word]
    return [as_text(answer["text"]), *times]
