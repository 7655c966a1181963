"""An answer for a person."""

from collections.abc import Mapping
from typing import Any

from rnnsuite.tasks import generation


def show(fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """The lines of an answer.

    Args:
        fitted: what was fitted on train.
        answer: of any signature.

    Returns:
        Of a continuation its log P and text; of next tokens and of a scored text a line each.
    """
    if "probabilities" in answer:
        pairs = zip(answer["probabilities"], answer["tokens"], strict=True)
        return [f"{probability:7.4f}  {token}" for probability, token in pairs]
    if "log_probabilities" in answer:
        pairs = zip(answer["log_probabilities"], answer["tokens"], strict=True)
        lines = [f"{value:8.3f}  {token}" for value, token in pairs if token]
        return [*lines, f"{answer['log_probability']:8.3f}  log P of all (nats)"]
    return generation.show("text", fitted, answer)
