"""What the nearest training recording says: a floor of transcription."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from rnnsuite.core.fields import Record
from rnnsuite.core.text import as_text
from rnnsuite.inputs import audio, waveform
from rnnsuite.tasks.transcription.score import score

PARTS = 8
"""Equal parts of a recording whose mean log-mel energies are compared."""


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
    described = scaler.fit_transform([_described(features, record, hop) for record in train])
    questions = scaler.transform([_described(features, record, hop) for record in records])
    _, nearest = NearestNeighbors(n_neighbors=1).fit(described).kneighbors(questions)
    texts = [as_text(train[place]["text"]) for place in nearest[:, 0]]
    return {"model": "nearest recording", **score(records, {"text": np.array(texts)}).metrics}


def _described(features: audio.LogMel, record: Record, hop: int) -> np.ndarray:
    samples = waveform.whole(record["audio"], hop)
    frames = features(samples[None])[0].numpy()
    parts = [part.mean(axis=0) for part in np.array_split(frames, PARTS)]
    return np.concatenate([[np.log(len(frames))], *parts])
