"""How good captions are (BLEU, ROUGE-L, CIDEr-D), and whether they differ."""

import collections
import functools
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sacremoses

from rnnsuite.app import Direction, EveryEpoch, Score
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text
from rnnsuite.tasks.generation.captions import Captions

log = logging.getLogger(__name__)
COLLAPSED = 0.5
"""Share of all captions being the same one that is warned of."""
METRICS: Mapping[str, Direction] = {
    **{f"bleu_{number}": "max" for number in range(1, 5)},
    "rouge_l": "max",
    "cider": "max",
    "exact_match": "max",
    "distinct_1": "max",
    "distinct_2": "max",
    "distinct_captions": "max",
    "vocabulary": "max",
    "repeated": "min",
}
"""What `score` gives."""
DIVERSITY = ("distinct_1", "distinct_2", "distinct_captions", "vocabulary")
"""Those of them that count what differs."""
EVERY_EPOCH = EveryEpoch("greedy", ("bleu_4", "cider", "exact_match", "distinct_captions"))
"""What is scored after every epoch."""


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Captions | None = None,
    drawn: Callable[[Sequence[str], np.ndarray], Mapping[str, Callable[[], Any]]] | None = None,
) -> Score:
    """Agreement with the references, as coco-caption computes it, and diversity.

    Words are those of the Moses tokenizer in small letters, without punctuation.

    Args:
        references: records with `captions`.
        answers: `caption`, in the same order.
        fitted: knows the training captions.
        drawn: `drawn(captions, order)` gives the application's own plots, of these captions and
            their numbers, the one with the highest CIDEr first; None for none.

    Returns:
        `bleu_1` to `bleu_4` and `rouge_l` (0 to 1); `cider` (CIDEr-D, 0 to 10); `exact_match`, the
        share of captions that are one of their references; `distinct_1` and `distinct_2`, different
        words and pairs over all of them (Li et al., arXiv 1510.03055); `distinct_captions`;
        `vocabulary`, the words that are used at all; `repeated`, the share of captions that stand
        in the training data.

    Raises:
        UserError: on a record without captions.
    """
    truth = [
        [" ".join(_words(as_text(caption))) for caption in record["captions"]]
        for record in references
    ]
    if not all(any(texts) for texts in truth):
        raise UserError("This split has records without captions; nothing can be scored.")
    captions = [" ".join(_words(as_text(caption))) for caption in answers["caption"]]
    metrics, ciders = _agreement(truth, captions)
    metrics |= {
        "exact_match": float(
            np.mean([caption in many for caption, many in zip(captions, truth, strict=True)])
        ),
        **_diversity(captions, fitted.knows(captions) if fitted else None),
    }
    notes = {
        "cider": "CIDEr-D, document frequencies of this split's references; pycocoevalcap, Moses "
        "tokens"
    }
    notes |= _collapsed(captions)
    order = np.argsort(-ciders, kind="stable")
    cases = [
        {
            "name": _name(references[i], i),
            "references": " / ".join(sorted(set(truth[i]))),
            "caption": captions[i],
            "cider": round(float(ciders[i]), 2),
        }
        for i in order
    ]
    return Score(
        metrics=metrics,
        notes=notes,
        plots=drawn(captions, order) if drawn else {},
        right=cases,
        wrong=cases[::-1],
        titles=("Captions with the lowest CIDEr", "Captions with the highest CIDEr"),
    )


def _collapsed(captions: Sequence[str]) -> dict[str, str]:
    """What to note where most records have the same caption."""
    commonest, times = collections.Counter(captions).most_common(1)[0]
    if len(captions) < 20 or times <= COLLAPSED * len(captions):
        return {}
    note = f'collapsed: "{commonest}" is the caption of {times} of {len(captions)} records'
    log.warning("The captions have %s.", note)
    return {"distinct_captions": note}


def require() -> None:
    """Raises UserError where what scores captions is not installed."""
    try:
        import pycocoevalcap  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"Captions are scored by pycocoevalcap ({error}): pip install 'rnnsuite[captions]'."
        ) from error


@functools.cache
def _tokenizer() -> sacremoses.MosesTokenizer:
    return sacremoses.MosesTokenizer("en")


def _words(caption: str) -> list[str]:
    tokens = _tokenizer().tokenize(caption.lower(), escape=False)
    return [token for token in tokens if any(character.isalnum() for character in token)]


def _name(record: Mapping[str, Any], number: int) -> str:
    return as_text(record["name"]) if "name" in record else f"record {number + 1}"


def _agreement(
    truth: Sequence[Sequence[str]], captions: Sequence[str]
) -> tuple[dict[str, float], np.ndarray]:
    """The metrics, and every caption's CIDEr-D."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    targets = dict(enumerate(truth))
    results = {number: [caption] for number, caption in enumerate(captions)}
    bleu, _ = Bleu(4).compute_score(targets, results, verbose=0)
    rouge, _ = Rouge().compute_score(targets, results)
    cider, ciders = Cider().compute_score(targets, results)
    metrics = {f"bleu_{number}": float(value) for number, value in enumerate(bleu, 1)}
    return {**metrics, "rouge_l": float(rouge), "cider": float(cider)}, np.asarray(ciders)


def _diversity(captions: Sequence[str], repeated: Sequence[bool] | None) -> dict[str, float]:
    words = [caption.split() for caption in captions]
    ones = [word for caption in words for word in caption]
    twos = [pair for caption in words for pair in itertools.pairwise(caption)]
    metrics = {
        "distinct_1": len(set(ones)) / max(len(ones), 1),
        "distinct_2": len(set(twos)) / max(len(twos), 1),
        "distinct_captions": len(set(captions)) / len(captions),
        "vocabulary": float(len(set(ones))),
    }
    return metrics if repeated is None else {**metrics, "repeated": float(np.mean(repeated))}
