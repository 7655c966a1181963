"""What the nearest training recording says: a floor of transcription."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs import audio
from rnnsuite.tasks import sounds
from rnnsuite.tasks.transcription.score import score


def nearest_recording(
    train: Sequence[Record], records: Sequence[Record], features: audio.LogMel, hop: int
) -> Mapping[str, Any]:
    """The metrics of answering with the transcript of the nearest training recording.

    Recordings are compared by their length and the mean spectrum of eight parts, each number over
    its deviation in train.

    Args:
        train: the training records, with `audio` and `text`.
        records: what is scored.
        features: of samples.
        hop: samples of a step.

    Returns:
        The name under `model`, and the metrics.
    """
    scaler = StandardScaler()
    rows, questions = (
        [sounds.in_parts(record["audio"], features, hop) for record in part]
        for part in (train, records)
    )
    neighbours = NearestNeighbors(n_neighbors=1).fit(scaler.fit_transform(rows))
    _, nearest = neighbours.kneighbors(scaler.transform(questions))
    texts = [as_text(train[place]["text"]) for place in nearest[:, 0]]
    return {"model": "nearest recording", **score(records, {"text": np.array(texts)}).metrics}
