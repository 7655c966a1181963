"""How well a text is predicted: perplexity, bits a character, and what stands beside."""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score, Scoring
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs.subword import END

from .config import DataConfig
from .data import Fitted, load
from .diversity import tables
from .ngram import ORDER, KneserNey
from .whole import answers, token_ids

SHOWN = 200
"""Characters of a text in the report."""


def score(records: Sequence[Record], answers: Mapping[str, Any], fitted: Fitted | None) -> Score:
    """Perplexity of the records' tokens and words, and bits a character and byte of their text.

    Args:
        records: with `text`.
        answers: `log_probability` (nats) and `tokens` of each; `ends`, where these count the text's
            end, and `unknown`, how many of the tokens stand for others.
        fitted: what was fitted on train.

    Returns:
        The score. Its cases are the texts that are predicted best and worst a token.
    """
    texts = [as_text(record["text"]) for record in records]
    logs = np.asarray(answers["log_probability"], np.float64)
    tokens = np.asarray(answers["tokens"], np.int64)
    ends = np.asarray(answers.get("ends", np.zeros(len(texts), int)))
    nats = -float(logs.sum())
    words = sum(len(text.split()) + text.count("\n") for text in texts) + int(ends.sum())
    characters = sum(map(len, texts)) + int(ends.sum())
    size = sum(len(text.encode()) for text in texts) + int(ends.sum())
    bits = nats / math.log(2)
    metrics = {
        "perplexity": _exp(nats, int(tokens.sum())),
        "word_perplexity": _exp(nats, words),
        "bits_per_character": bits / max(characters, 1),
        "bits_per_byte": bits / max(size, 1),
    }
    notes = {"perplexity": f"of {tokens.sum()} tokens"}
    if "unknown" in answers:
        unknown = int(np.sum(answers["unknown"]))
        notes["perplexity"] += f", {unknown} of them unknown, which stand for any other"
    order = np.argsort(logs / np.maximum(tokens, 1))
    cases = [_case(texts[place], logs[place], tokens[place]) for place in order]
    return Score(
        metrics,
        plots={"Log P a token": functools.partial(_histogram, logs / np.maximum(tokens, 1))},
        notes=notes,
        wrong=cases,
        right=cases[::-1],
        titles=("Least expected texts", "Most expected texts"),
    )


def _exp(nats: float, count: int) -> float:
    """e to the nats of each of so many; infinite where that is too large for a number."""
    mean = nats / max(count, 1)
    return math.exp(mean) if mean < 700 else math.inf


def _case(text: str, log: float, tokens: int) -> dict[str, Any]:
    return {
        "text": text[:SHOWN],
        "tokens": int(tokens),
        "log P a token": round(log / max(tokens, 1), 3),
    }


def _histogram(values: np.ndarray):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.hist(values, bins=30)
    axes.set(xlabel="log P a token (nats)", ylabel="texts")
    return figure


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> dict[str, Any]:
    """The perplexity of n-grams over the same tokens, learned from the training records."""
    train = list(load(config, "train").as_numpy_iterator())
    model = KneserNey(token_ids(fitted, train), len(fitted.vocabulary().pieces), END)
    ids = token_ids(fitted, records)
    logs = model.log_probabilities(ids)
    lengths = np.array([len(numbers) + 1 for numbers in ids])
    sums = np.add.reduceat(logs, [0, *np.cumsum(lengths)[:-1]])
    metrics = score(
        records,
        {"log_probability": sums, "tokens": lengths, "ends": np.ones(len(ids), int)},
        fitted,
    ).metrics
    return {"model": f"{ORDER}-grams, modified Kneser-Ney", **metrics}


SCORING = Scoring(
    score=score,
    metrics={
        "perplexity": "min",
        "word_perplexity": "min",
        "bits_per_character": "min",
        "bits_per_byte": "min",
    },
    primary="perplexity",
    answers=answers,
    tables=tables,
    floor=floor,
)
