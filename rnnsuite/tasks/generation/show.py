"""A generated sentence for a person."""

from collections.abc import Mapping
from typing import Any


def show(name: str, fitted: Any, answer: Mapping[str, Any]) -> list[str]:
    """The lines of an answer: a hypothesis each with its score, and what was attended.

    Args:
        name: of the sentence in the answer.
        fitted: what was fitted on train.
        answer: with that name and `score`, both perhaps lists; and perhaps `source_tokens`,
            `target_tokens` and `weights` `[target, source]`.

    Returns:
        Lines; none for an answer of another kind.
    """
    if name not in answer or "score" not in answer:
        return []
    sentences = answer[name]
    scores = answer["score"]
    if isinstance(sentences, str):
        sentences = [sentences]
        scores = [scores]
    lines = [f"{score:7.3f}  {sentence}" for sentence, score in zip(sentences, scores, strict=True)]
    if "target_tokens" in answer and "source_tokens" in answer:
        lines += [
            f"  {token} <- {_attended(answer['source_tokens'], weights)}"
            for token, weights in zip(answer["target_tokens"], answer["weights"], strict=True)
            if token
        ]
    return lines


def _attended(tokens: list[str], weights: list[float]) -> str:
    """The token that was attended most, and its weight."""
    place = max(range(len(weights)), key=weights.__getitem__)
    return f"{tokens[place]} {weights[place]:.2f}"
