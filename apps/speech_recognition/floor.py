"""What the nearest training recording says."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnnsuite.core.fields import Record
from rnnsuite.inputs import audio
from rnnsuite.tasks.transcription.floor import nearest_recording

from .config import DataConfig
from .data import Fitted, load


def floor(config: DataConfig, fitted: Fitted, records: Sequence[Record]) -> Mapping[str, Any]:
    """See `nearest_recording`, among the training recordings of a source."""
    train = list(load(config, "train").as_numpy_iterator())
    return nearest_recording(train, records, audio.LogMel(fitted.bins), fitted.hop)
