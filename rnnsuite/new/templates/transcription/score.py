"""How good transcripts are, beside a cheap floor: what the nearest training recording says."""

from rnnsuite.app import Scoring
from rnnsuite.inputs import audio
from rnnsuite.tasks.transcription import score as transcripts
from rnnsuite.tasks.transcription.floor import nearest_recording

from .data import load


def score(references, answers, fitted=None):
    """Word and character error rates; see `rnnsuite.tasks.transcription.score`."""
    characters = fitted.characters if fitted else ()
    return transcripts.score(references, answers, alphabet=characters)


def floor(config, fitted, records):
    """The transcript of the training recording whose spectrum is nearest."""
    train = list(load(config, "train").as_numpy_iterator())
    return nearest_recording(train, records, audio.LogMel(fitted.bins), fitted.hop)


SCORING = Scoring(
    score=score,
    metrics=transcripts.METRICS,
    primary="wer",
    every_epoch=transcripts.EVERY_EPOCH,
    floor=floor,
)
