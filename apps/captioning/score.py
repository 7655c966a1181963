"""How good captions are (BLEU, ROUGE-L, CIDEr-D), whether they differ, and what the model looked
at.
"""

import collections
import functools
import io
import itertools
import logging
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sacremoses

from rnnsuite.app import EveryEpoch, Score, Scoring
from rnnsuite.core.errors import UserError
from rnnsuite.core.text import as_text

from .data import Fitted

log = logging.getLogger(__name__)
SHOWN = 4  # pictures whose attention is drawn
CASES = 6  # pictures of the best and of the worst captions
COLLAPSED = 0.5  # of all captions being the same one is warned of


def score(
    references: Sequence[Mapping[str, Any]],
    answers: Mapping[str, np.ndarray],
    fitted: Fitted | None = None,
) -> Score:
    """Agreement with the references, as coco-caption computes it, and diversity.

    Words are those of the Moses tokenizer in small letters, without punctuation.

    Args:
        references: records with `image` and `captions`.
        answers: `caption`, in the same order.
        fitted: knows the training captions.

    Returns:
        `bleu_1` to `bleu_4` and `rouge_l` (0 to 1); `cider` (CIDEr-D, 0 to 10); `exact_match`, the
        share of captions that are one of their references; `distinct_1` and `distinct_2`, different
        words and pairs over all of them (Li et al., arXiv 1510.03055); `distinct_captions`;
        `vocabulary`, the words that are used at all; `repeated`, the share of captions that stand
        in the training data.

    Raises:
        UserError: on an image without captions.
    """
    truth = [
        [" ".join(_words(as_text(caption))) for caption in record["captions"]]
        for record in references
    ]
    if not all(any(texts) for texts in truth):
        raise UserError("This split has images without captions; nothing can be scored.")
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
    drawn = {
        "Highest CIDEr": _different(order, captions),
        "Lowest CIDEr": _different(order[::-1], captions),
    }
    return Score(
        metrics=metrics,
        notes=notes,
        plots={
            title: functools.partial(_gallery, references, captions, chosen)
            for title, chosen in drawn.items()
        },
        right=cases,
        wrong=cases[::-1],
        titles=("Captions with the lowest CIDEr", "Captions with the highest CIDEr"),
    )


def _collapsed(captions: Sequence[str]) -> dict[str, str]:
    """What to note where most images have the same caption."""
    commonest, times = collections.Counter(captions).most_common(1)[0]
    if len(captions) < 20 or times <= COLLAPSED * len(captions):
        return {}
    note = f'collapsed: "{commonest}" is the caption of {times} of {len(captions)} images'
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
    return as_text(record["name"]) if "name" in record else f"picture {number + 1}"


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


def _pixels(content: bytes) -> np.ndarray:
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def _different(order: Sequence[int], captions: Sequence[str]) -> list[int]:
    """The first few of which no two have the same caption."""
    first: dict[str, int] = {}
    for i in order:
        first.setdefault(captions[i], i)
    return list(first.values())[:CASES]


def _gallery(references, captions, chosen):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.4), layout="constrained")
    for axes, i in zip(figure.subplots(2, 3).ravel(), chosen, strict=False):
        axes.imshow(_pixels(references[i]["image"]))
        axes.set_title(textwrap.fill(captions[i], 48), fontsize=8)
    for axes in figure.axes:
        axes.set_axis_off()
    return figure


def figures(ask: Callable, records: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[], Any]]:
    """The attention of some captions over their images, word by word."""
    places = np.linspace(0, len(records) - 1, min(SHOWN, len(records))).round().astype(int)

    def draw(record):
        found = ask([record], "attend")
        return _attention(_pixels(record["image"]), found["words"][0], found["maps"][0])

    titled = {f"Attention {number}": records[place] for number, place in enumerate(places, 1)}
    return {title: functools.partial(draw, record) for title, record in titled.items()}


def _attention(pixels, words, maps):
    from matplotlib.figure import Figure

    columns = 5
    rows = -(-(len(words) + 1) // columns)
    figure = Figure(figsize=(2 * columns, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    panels[0].imshow(pixels)
    height, width = pixels.shape[:2]
    for axes, word, shares in zip(panels[1:], words, maps, strict=False):
        axes.imshow(pixels)
        axes.imshow(
            shares,
            cmap="magma",
            alpha=0.65,
            extent=(0, width, height, 0),
            interpolation="bilinear",
            vmin=0,
        )
        axes.set_title(as_text(word).replace("▁", "") or "·", fontsize=9)
    for axes in panels:
        axes.set_axis_off()
    return figure


SCORING = Scoring(
    score=score,
    metrics={
        **{f"bleu_{number}": "max" for number in range(1, 5)},
        "rouge_l": "max",
        "cider": "max",
        "exact_match": "max",
        "distinct_1": "max",
        "distinct_2": "max",
        "distinct_captions": "max",
        "vocabulary": "max",
        "repeated": "min",
    },
    primary="bleu_4",
    every_epoch=EveryEpoch("greedy", ("bleu_4", "cider", "exact_match", "distinct_captions")),
    figures=figures,
    require=require,
)
