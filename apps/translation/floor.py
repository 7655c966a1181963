"""The translation of the nearest training sentence: what a translation memory says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnsuite.app import Score
from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.tasks.generation.nearest import nearest_text

from .config import DataConfig
from .data import load


def nearest_translation(
    config: DataConfig, records: Sequence[Record], score: Callable[..., Score]
) -> Mapping[str, Any]:
    """The metrics of answering each sentence with the translation of the nearest training sentence.

    Args:
        config: the source whose training part is looked in.
        records: what is scored.
        score: of records and answers.

    Returns:
        The name under `model`, and metrics.
    """
    train = list(load(config, "train").as_numpy_iterator())
    sources, texts = ([as_text(record["text"]) for record in part] for part in (train, records))
    texts_of_memory = [train[place]["translation"] for place in nearest_text(sources, texts)]
    metrics = score(records, {"text": np.array(texts_of_memory, object)}).metrics
    return {"model": "translation of the nearest training sentence", **metrics}
