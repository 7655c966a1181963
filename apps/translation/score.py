"""How good translations are: BLEU and chrF with their signatures, also by length."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sacrebleu
import sacremoses

from rnnsuite.app import EveryEpoch, Score, Scoring
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text

from .config import DataConfig
from .data import Fitted
from .floor import nearest_translation

SHOWN = (0.1, 0.5, 0.75, 0.95)  # alignments, as places among the records sorted by length
BINS = 6  # of the length curve, with equally many sentences each


def score(
    references: Sequence[Mapping[str, Any]], answers: Mapping[str, np.ndarray], fitted: Any = None
) -> Score:
    """BLEU and chrF.

    Args:
        references: records with `text`, `translation` and its `language`.
        answers: `text`, in the same order.
        fitted: not used.

    Returns:
        `bleu` and `chrf`, sacreBLEU's, 0 to 100; `bleu_tokenised`, of lower-cased sentences as
        Moses tokenises them, without further tokenisation, to compare with older papers.

    Raises:
        UserError: on a record without a translation.
    """
    truth = [as_text(record["translation"]) for record in references]
    if not all(text.strip() for text in truth):
        raise UserError("This split has records without a translation; nothing can be scored.")
    translations = [as_text(text) for text in answers["text"]]
    sources = [as_text(record["text"]) for record in references]
    bleu = sacrebleu.BLEU()
    chrf = sacrebleu.CHRF()
    joined = sacrebleu.BLEU(tokenize="none", force=True)
    language = as_text(references[0]["language"])
    metrics = {
        "bleu": bleu.corpus_score(translations, [truth]).score,
        "chrf": chrf.corpus_score(translations, [truth]).score,
        "bleu_tokenised": joined.corpus_score(
            _tokenised(translations, language), [_tokenised(truth, language)]
        ).score,
    }
    pairs = zip(translations, truth, strict=True)
    sentence_scores = np.array(
        [chrf.sentence_score(text, [reference]).score for text, reference in pairs]
    )
    cases = [
        {
            "source": sources[i],
            "reference": truth[i],
            "answer": translations[i],
            "chrf": round(float(sentence_scores[i]), 1),
        }
        for i in np.argsort(-sentence_scores, kind="stable")
    ]
    return Score(
        metrics=metrics,
        notes={
            "bleu": f"sacreBLEU {bleu.get_signature()}",
            "chrf": f"sacreBLEU {chrf.get_signature()}",
            "bleu_tokenised": f"lower-cased, sacremoses {sacremoses.__version__} {language}, "
            f"{joined.get_signature()}",
        },
        plots={"Length": functools.partial(_lengths, sources, translations, truth)},
        right=cases,
        wrong=cases[::-1],
        titles=("Translations with the lowest chrF", "Translations with the highest chrF"),
    )


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """See `nearest_translation`."""
    return nearest_translation(config, records, score)


def _tokenised(sentences: Sequence[str], language: str) -> list[str]:
    tokenizer = sacremoses.MosesTokenizer(language)
    return [tokenizer.tokenize(sentence.lower(), return_str=True) for sentence in sentences]


def by_length(
    sources: Sequence[str], translations: Sequence[str], truth: Sequence[str]
) -> list[tuple[float, float]]:
    """(words of the source, BLEU) of equally many sentences each, the shortest first."""
    words = np.array([len(source.split()) for source in sources])
    parts = np.array_split(np.argsort(words, kind="stable"), min(BINS, len(words)))
    return [
        (
            float(words[part].mean()),
            sacrebleu.corpus_bleu(
                [translations[i] for i in part], [[truth[i] for i in part]]
            ).score,
        )
        for part in parts
    ]


def _lengths(sources, translations, truth):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*by_length(sources, translations, truth), strict=True), marker="o")
    axes.set(xlabel="words of the source", ylabel="BLEU", ylim=(0, None))
    axes.grid(alpha=0.3)
    return figure


def figures(ask: Callable, records: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[], Any]]:
    """Alignments of some records, from short to long: what each target subword attended."""
    order = sorted(range(len(records)), key=lambda i: len(records[i]["text"]))
    chosen = [records[order[round(share * (len(order) - 1))]] for share in SHOWN]

    def draw(record):
        return _alignment(**{name: value[0] for name, value in ask([record], "align").items()})

    titled = {f"Alignment {number}": record for number, record in enumerate(chosen, 1)}
    return {title: functools.partial(draw, record) for title, record in titled.items()}


def _alignment(source_tokens, target_tokens, weights, **_):
    from matplotlib.figure import Figure

    source, target = (
        [as_text(token) for token in tokens] for tokens in (source_tokens, target_tokens)
    )
    side = 0.28
    figure = Figure(
        figsize=(side * len(source) + 2, side * len(target) + 1.5), layout="constrained"
    )
    axes = figure.subplots()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(len(source)), source, rotation=90)
    axes.set_yticks(range(len(target)), target)
    axes.xaxis.tick_top()
    axes.tick_params(labelsize=8)
    return figure


SCORING = Scoring(
    score=score,
    metrics={"bleu": "max", "chrf": "max", "bleu_tokenised": "max"},
    primary="bleu",
    every_epoch=EveryEpoch("greedy", ("bleu", "chrf", "bleu_tokenised")),
    figures=figures,
    floor=floor,
)
