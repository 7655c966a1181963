"""What was said of the most similar training record: a floor of generation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks.generation import caption_score
from rnnsuite.tasks.generation.captions import Captions

SHOWN = ("bleu_4", "rouge_l", "cider", "exact_match")
"""Metrics of captions that a floor has."""
BLOCK = 1000
"""Rows that are compared at once."""


def nearest_caption(
    train: Sequence[Record],
    described: np.ndarray,
    records: Sequence[Record],
    queries: np.ndarray,
    fitted: Captions,
) -> dict[str, Any]:
    """Metrics of saying of each record what is said of the training record with the largest cosine.

    Args:
        train: training records, with `captions`.
        described: a row of numbers for each.
        records: what is scored.
        queries: a row for each.
        fitted: knows the training captions.

    Returns:
        Metrics of `caption_score.score`.
    """
    captions = [consensus([as_text(text) for text in record["captions"]]) for record in train]
    nearest = np.argmax(_directions(queries) @ _directions(described).T, axis=1)
    answers = {"caption": np.array([captions[place].encode() for place in nearest], object)}
    metrics = caption_score.score(records, answers, fitted).metrics
    return {name: metrics[name] for name in SHOWN}


def _directions(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def consensus(captions: Sequence[str]) -> str:
    """The caption that shares most words with the others, for its length."""
    words = [set(caption.lower().strip(" .").split()) for caption in captions]

    def shared(place: int) -> float:
        rest = words[:place] + words[place + 1 :]
        return sum(len(words[place] & caption) / len(words[place] | caption) for caption in rest)

    return captions[max(range(len(captions)), key=shared)]


def nearest_text(train: Sequence[str], texts: Sequence[str]) -> list[int]:
    """The place of the most similar training text of each text.

    Similar is the largest cosine of words and pairs of words, weighted by how rare they are
    (Salton and Buckley, 1988).

    Args:
        train: training texts.
        texts: those that are asked for.

    Returns:
        A place in `train` for each.
    """
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\S+")
    vectors_of_train: Any = vectors.fit_transform(train)
    places: list[int] = []
    for start in range(0, len(texts), BLOCK):
        queries: Any = vectors.transform(texts[start : start + BLOCK])
        places += np.asarray((queries @ vectors_of_train.T).argmax(axis=1)).ravel().tolist()
    return places
