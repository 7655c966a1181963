"""The caption of the nearest training video."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks.generation import caption_score

from .config import DataConfig
from .data import Fitted, load

SHOWN = ("bleu_4", "rouge_l", "cider", "exact_match")


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """The metrics of saying of each video what is sentences of the training video whose mean frame
    has the largest cosine, in the words that agree most with that video's other captions.

    Args:
        config: the source whose training part is looked in.
        fitted: knows the training captions.
        records: what is scored.

    Returns:
        The name under `model`, and metrics.
    """
    records_of_train = list(load(config, "train").as_numpy_iterator())
    means = np.stack([mean_frame(record["features"]) for record in records_of_train])
    captions = [
        consensus([as_text(text) for text in record["captions"]]) for record in records_of_train
    ]
    sentences = [
        captions[int(np.argmax(means @ mean_frame(record["features"])))] for record in records
    ]
    answers = {"caption": np.array([caption.encode() for caption in sentences], object)}
    metrics = caption_score.score(records, answers, fitted).metrics
    return {
        "model": "caption of the nearest training video",
        **{name: metrics[name] for name in SHOWN},
    }


def mean_frame(features: np.ndarray) -> np.ndarray:
    """The mean of the frames that are there, of length 1."""
    frames = features[np.any(features != 0, axis=1)]
    mean = frames.mean(axis=0) if len(frames) else features[0]
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def consensus(captions: Sequence[str]) -> str:
    """The caption that shares most words with the others, for its length."""
    words = [set(caption.lower().strip(" .").split()) for caption in captions]

    def shared(place: int) -> float:
        others = [other for number, other in enumerate(words) if number != place]
        return sum(len(words[place] & other) / len(words[place] | other) for other in others)

    return captions[max(range(len(captions)), key=shared)]
