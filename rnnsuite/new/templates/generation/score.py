"""How good what is written is, beside a cheap floor: what the most similar training text became."""

import numpy as np
import sacrebleu
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from rnnsuite.app import EveryEpoch, Score, Scoring
from rnnsuite.core.text import as_text

from .data import load


def score(references, answers, fitted):
    """The share of texts that are right to the last character, and chrF (sacreBLEU, 0 to 100)."""
    chrf = sacrebleu.CHRF()
    truth = [as_text(record["target"]) for record in references]
    written = [as_text(text) for text in answers["text"]]
    each = [
        chrf.sentence_score(text, [right]).score for text, right in zip(written, truth, strict=True)
    ]
    cases = [
        {
            "text": as_text(references[place]["text"]),
            "target": truth[place],
            "answer": written[place],
            "chrf": round(each[place], 1),
        }
        for place in np.argsort(-np.array(each), kind="stable")
    ]
    return Score(
        metrics={
            "exact_match": float(np.mean(np.equal(truth, written))),
            "chrf": chrf.corpus_score(written, [truth]).score,
        },
        notes={"chrf": f"sacreBLEU {chrf.get_signature()}"},
        right=[case for case in cases if case["answer"] == case["target"]],
        wrong=[case for case in cases[::-1] if case["answer"] != case["target"]],
    )


def floor(config, fitted, records):
    """The target of the training text that shares most pieces of one to three characters."""
    train = list(load(config, "train").as_numpy_iterator())
    pieces = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    known = pieces.fit_transform([as_text(record["text"]) for record in train])
    asked = pieces.transform([as_text(record["text"]) for record in records])
    _, nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(known).kneighbors(asked)
    texts = [as_text(train[place]["target"]) for place in nearest[:, 0]]
    return {"model": "nearest text", **score(records, {"text": texts}, fitted).metrics}


SCORING = Scoring(
    score=score,
    metrics={"exact_match": "max", "chrf": "max"},
    primary="exact_match",
    every_epoch=EveryEpoch("greedy", ("exact_match", "chrf")),
    floor=floor,
)
