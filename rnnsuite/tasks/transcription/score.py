"""Word and character error rates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jiwer
import numpy as np

from rnnsuite.app import Direction, EveryEpoch, Score
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text

METRICS: Mapping[str, Direction] = {"wer": "min", "cer": "min", "exact_match": "max"}
EVERY_EPOCH = EveryEpoch("greedy", ("wer", "cer"))
"""What is scored after every epoch, without beam search."""
SHOWN = 20
"""Cases in a report."""


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    plots: Mapping[str, Callable[[], Any]] | None = None,
    alphabet: Sequence[str] = (),
) -> Score:
    """Errors of transcripts, as shares of what was said.

    Args:
        references: records with `text`, and `speaker`, if it is known.
        answers: `text`, in the same order.
        plots: the application's own.
        alphabet: characters that can be answered; empty for any.

    Returns:
        `wer` and `cer`, insertions, deletions and substitutions over the words, or characters,
        that were said; they may exceed 1. `exact_match`, the share of transcripts without an
        error.

    Raises:
        UserError: where nothing was said at all.
    """
    truth = [as_text(record["text"]) for record in references]
    written = [as_text(text) for text in answers["text"]]
    if not any(text.strip() for text in truth):
        raise UserError("The records have no transcripts.")
    words = _counts(jiwer.process_words, truth, written)
    characters = _counts(jiwer.process_characters, truth, written)
    by_row = [_errors(text, answer) for text, answer in zip(truth, written, strict=True)]
    errors = np.array([errors for errors, _ in by_row])
    sizes = np.array([size for _, size in by_row])
    neutral = {f"word_{name}": words[name] for name in ("insertions", "deletions", "substitutions")}
    order = np.argsort(-errors, kind="stable")
    return Score(
        metrics={
            "wer": words["rate"],
            "cer": characters["rate"],
            "exact_match": float(np.mean(np.equal(truth, written))),
        },
        neutral=neutral,
        notes=_notes(truth, alphabet),
        plots=plots or {},
        tables=_tables(references, errors, sizes),
        wrong=[_case(truth[i], written[i]) for i in order[:SHOWN] if errors[i]],
        right=[_case(truth[i], written[i]) for i in order[::-1][:SHOWN] if not errors[i]],
        titles=("Most errors", "Without an error"),
    )


def _counts(process: Callable, truth: Sequence[str], written: Sequence[str]) -> dict[str, float]:
    """Errors of each kind as shares of what was said, and their sum, `rate`."""
    spoken = [i for i, text in enumerate(truth) if text.strip()]
    output = process([truth[i] for i in spoken], [written[i] for i in spoken])
    total = output.hits + output.substitutions + output.deletions
    # Where nothing was said, all that is written is inserted.
    silent = set(range(len(truth))) - set(spoken)
    more = sum(_size(process, written[i]) for i in silent)
    shares = {
        "insertions": (output.insertions + more) / total,
        "deletions": output.deletions / total,
        "substitutions": output.substitutions / total,
    }
    return {**shares, "rate": sum(shares.values())}


def _size(process: Callable, text: str) -> int:
    return len(text.split()) if process is jiwer.process_words else len(text)


def _errors(truth: str, written: str) -> tuple[int, int]:
    """Wrong words of one transcript, and how many were said."""
    if not truth.strip():
        return len(written.split()), 0
    output = jiwer.process_words(truth, written)
    return output.substitutions + output.deletions + output.insertions, len(truth.split())


def _case(truth: str, written: str) -> dict[str, str]:
    """One transcript with its answer, words beside words; stars stand where one has none."""
    if not truth.strip():
        return {"said": "", "written": written}
    output = jiwer.process_words(truth, written)
    references: list[str] = []
    answered: list[str] = []
    for part in output.alignments[0]:
        left = output.references[0][part.ref_start_idx : part.ref_end_idx]
        right = output.hypotheses[0][part.hyp_start_idx : part.hyp_end_idx]
        count = max(len(left), len(right))
        references += [*left, *["***"] * (count - len(left))]
        answered += [*right, *["***"] * (count - len(right))]
    return {"said": " ".join(references), "written": " ".join(answered)}


def _tables(
    references: Sequence[Mapping[str, Any]], errors: np.ndarray, sizes: np.ndarray
) -> dict[str, list[dict[str, Any]]]:
    """The error rate by speaker, and by the number of words."""
    speakers = [as_text(record.get("speaker", "")) for record in references]
    longest = int(sizes.max(initial=1))
    bounds = sorted({1, 2, 4, 8, 16, longest})
    groups = [str(next(bound for bound in bounds if size <= bound)) for size in sizes]
    tables = {"Words": _rates("words, up to", groups, errors, sizes)}
    if len(set(speakers)) > 1:
        tables = {"Speakers": _rates("speaker", speakers, errors, sizes)[:SHOWN], **tables}
    return tables


def _rates(title: str, names: Sequence[str], errors: np.ndarray, sizes: np.ndarray) -> list[dict]:
    """A row for each name, the one with the most errors a word first."""
    rows = []
    for name in sorted(set(names)):
        own = np.array(names) == name
        words = int(sizes[own].sum())
        rate = float(errors[own].sum() / max(words, 1))
        rows.append({title: name, "recordings": int(own.sum()), "words": words, "wer": rate})
    return sorted(rows, key=lambda row: -row["wer"])


def _notes(truth: Sequence[str], alphabet: Sequence[str]) -> dict[str, str]:
    strange = sorted(set("".join(truth)) - set(alphabet)) if alphabet else []
    if not strange:
        return {}
    shown = " ".join(strange[:10])
    return {"wer": f"{len(strange)} characters of the transcripts are not in training: {shown}"}
