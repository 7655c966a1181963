"""Whether samples collapse: how varied they are, how they repeat themselves, what they copy."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sacrebleu

from rnnsuite.app import Asked
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text

from .config import DecodeConfig
from .data import Fitted, load
from .whole import token_ids

log = logging.getLogger(__name__)
PREFIXES = 200
"""Beginnings that are gone on with, at most."""
PREFIX_WORDS = 5
REFERENCES = 20
"""Samples that each one of the first so many is compared with, for self-BLEU."""
SETTINGS: Mapping[str, Mapping[str, float]] = {
    "greedy": {"temperature": 0.0},
    "temperature 0.7": {"temperature": 0.7, "top_p": 1.0},
    "temperature 1": {"top_p": 1.0},
    "top-k 40": {"top_k": 40, "top_p": 1.0},
    "nucleus 0.9": {"top_p": 0.9},
    "nucleus 0.95": {"top_p": 0.95},
}
"""Options of the signature generate, by what they are called; the others as they are usual."""
USUAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
COLLAPSED = 0.1
"""Share of repeated 4-grams above which a text goes round in circles; people's have under 1 %."""
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def tables(asked: Asked, records: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """How varied samples are under each way of decoding, and under the model's own settings.

    The beginnings of some records are gone on with. Warns of collapse, and says what helps.

    Args:
        asked: the model.
        records: with `text`.

    Returns:
        The rows of "Samples by decoding"; none for a device's file, which has no such signature.
    """
    if "generate" not in asked.signatures:
        return {}
    prefixes = beginnings(records)
    decode: Any = asked.config.sections["decode"]
    settings = {**SETTINGS, "of the configuration": own_settings(decode)}
    train = training_ids(asked)
    rows = []
    for name, options in settings.items():
        answers = asked.ask(prefixes, "generate", {**USUAL, **options})
        texts = [as_text(text) for text in answers["text"]]
        rows.append({"decoding": name, **measured(texts, asked.fitted, train)})
    collapsed = [row["decoding"] for row in rows if row["repeated 4-grams"] > COLLAPSED]
    if "of the configuration" in collapsed:
        log.warning(
            "Samples go round in circles with these settings of decode. Draw from the nucleus: "
            "--set decode.temperature=1 --set decode.top_p=0.9."
        )
    elif collapsed:
        log.info("Samples collapse with %s; nucleus sampling varies.", ", ".join(collapsed))
    people = [as_text(record["text"]) for record in spread(records)]
    rows.append({"decoding": "people's texts", **measured(people, asked.fitted, None)})
    return {"Samples by decoding": rows}


def spread(records: Sequence[Record]) -> list[Record]:
    """So many of the records that hold a few words, evenly spread."""
    long = [record for record in records if len(as_text(record["text"]).split()) > PREFIX_WORDS]
    return long[:: max(len(long) // PREFIXES, 1)][:PREFIXES] or list(records[:1])


def beginnings(records: Sequence[Record]) -> list[dict[str, bytes]]:
    """The first words of some records, as requests."""
    texts = [as_text(record["text"]).split()[:PREFIX_WORDS] for record in spread(records)]
    return [{"text": " ".join(words).encode()} for words in texts]


def own_settings(decode: DecodeConfig) -> dict[str, float]:
    """Those of a configuration."""
    return {
        "temperature": decode.temperature,
        "top_k": decode.top_k,
        "top_p": decode.top_p,
    }


def training_ids(asked: Asked) -> np.ndarray | None:
    """All tokens of the training text; None where it is not here."""
    try:
        records = list(load(asked.config.data, "train").as_numpy_iterator())
    except (UserError, OSError) as error:
        log.info("The training text is not here (%s): nothing can be compared with it.", error)
        return None
    return np.concatenate(token_ids(asked.fitted, records))


def measured(
    texts: Sequence[str], fitted: Fitted, train: np.ndarray | None
) -> dict[str, float | int | str]:
    """Measures of samples.

    Args:
        texts: the samples.
        fitted: gives their tokens.
        train: tokens of the training text, or None.

    Returns:
        distinct-1, -2 and -3 (Li et al., arXiv 1510.03055), the share of different n-grams; BLEU of
        samples against others (self-BLEU, Zhu et al., arXiv 1802.01886); the share of a sample's
        4-grams that it has had before (Welleck et al., arXiv 1908.04319); how many tokens of the
        vocabulary occur; and the most tokens in a row that stand in the training text so.
    """
    ids = token_ids(fitted, [{"text": text.encode()} for text in texts])
    values: dict[str, Any] = {f"distinct-{n}": distinct(ids, n) for n in (1, 2, 3)}
    values["self-BLEU"] = self_bleu(texts)
    values["repeated 4-grams"] = repeated(ids, 4)
    values["tokens used"] = len({number for row in ids for number in row.tolist()})
    values["longest copy"] = "" if train is None else longest_copy(ids, train)
    return values


def grams(ids: np.ndarray, n: int) -> Iterator[tuple[int, ...]]:
    """The n-grams of a text."""
    numbers = ids.tolist()
    return (tuple(numbers[place : place + n]) for place in range(len(numbers) - n + 1))


def distinct(ids: Sequence[np.ndarray], n: int) -> float:
    """The share of different n-grams among those of all texts."""
    everything = [gram for row in ids for gram in grams(row, n)]
    return len(set(everything)) / max(len(everything), 1)


def repeated(ids: Sequence[np.ndarray], n: int) -> float:
    """The mean share of a text's n-grams that stand in it before."""
    shares = []
    for row in ids:
        own = list(grams(row, n))
        if own:
            shares.append(1 - len(set(own)) / len(own))
    return float(np.mean(shares)) if shares else 0.0


def self_bleu(texts: Sequence[str]) -> float:
    """The mean BLEU, from 0 to 1, of texts against all others of the first ones."""
    some = [text for text in texts[:REFERENCES] if text.strip()]
    if len(some) < 2:
        return 0.0
    scores = [
        sacrebleu.sentence_bleu(text, some[:place] + some[place + 1 :], tokenize="none").score
        for place, text in enumerate(some)
    ]
    return float(np.mean(scores)) / 100


def longest_copy(ids: Sequence[np.ndarray], train: np.ndarray) -> int:
    """The most tokens in a row of any text that stand in the training text in that order."""
    length = 0
    source = train.astype(np.uint64)
    parts = [row.astype(np.uint64) for row in ids]
    of_parts = [row.copy() for row in parts]
    # Where the training text has an n-gram of the texts: only there can it have a longer one.
    places = np.arange(len(source))
    of_source = source
    while True:
        wanted = np.unique(np.concatenate([*of_parts, source[:0]]))
        if not len(wanted):
            return length
        nearest = np.minimum(np.searchsorted(wanted, of_source), len(wanted) - 1)
        is_found = wanted[nearest] == of_source
        if not is_found.any():
            return length
        length += 1
        is_inside = is_found & (places + length < len(source))
        places = places[is_inside]
        with np.errstate(over="ignore"):
            of_source = _hashed(of_source[is_inside], source[places + length])
        of_parts = [_longer(row, part, length) for row, part in zip(of_parts, parts, strict=True)]


def _hashed(hashes: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """The hashes of n-grams with one more token."""
    return (hashes + np.uint64(1)) * MULTIPLIER + tokens


def _longer(hashes: np.ndarray, tokens: np.ndarray, length: int) -> np.ndarray:
    """The hashes of n-grams of so many tokens and one more."""
    if len(hashes) < 2:
        return hashes[:0]
    with np.errstate(over="ignore"):
        return _hashed(hashes[:-1], tokens[length : length + len(hashes) - 1])
