"""What is said in recordings, and the rule by which it is written."""

import dataclasses
import pathlib
import re
import unicodedata
from typing import Annotated, Literal

import pydantic

from rnnsuite.core.section import Fraction, section
from rnnsuite.data.source_config import TableConfig

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
APOSTROPHES = "\u2018\u2019\u02bc\u00b4`"
"""Characters that stand for an apostrophe."""


@dataclasses.dataclass(frozen=True)
class Utterance:
    """One recording and what is said in it.

    Args:
        id: its name, unique in its split.
        path: of the sound file.
        text: as the source has it.
        person: who speaks; the recording's own name where that is not known.
    """

    id: str
    path: pathlib.Path
    text: str
    person: str


@section
class TranscriptsConfig(TableConfig):
    """Where recordings and their transcripts come from, and how transcripts are written."""

    file: str = ""
    """The column with the sound file's path; empty: file, path, audio_filepath or audio."""
    text: str = ""
    """The column with the transcript; empty: transcript, text, sentence or transcription."""
    speaker: str = ""
    """The column with the speaker; empty: speaker, client_id or speaker_id, where there is one."""
    test: Fraction = 0.1
    """Share of the speakers held out for testing where a source has no splits."""
    case: Literal["lower", "upper", "keep"] = "lower"
    """The case in which transcripts are learned, answered and scored."""
    punctuation: Literal["remove", "keep"] = "remove"
    """What is done with punctuation marks; apostrophes within words stay."""
    digits: Literal["words", "keep"] = "words"
    """Whether each digit is written as an English word, as it is mostly said."""
    shortest: Annotated[float, pydantic.Field(ge=0)] = 0.0
    """Seconds; shorter recordings are left out of training."""
    longest: Annotated[float, pydantic.Field(gt=0)] = 30.0
    """Seconds; longer recordings are left out of training."""


def normalised(text: str, config: TranscriptsConfig) -> str:
    """A transcript by the configuration's rule: the same in training, answers and scores.

    Characters are in Unicode's composed form, spaces single.

    Args:
        text: as it stands in a source.
        config: what is done with case, digits and punctuation.

    Returns:
        The transcript; empty where nothing is left.
    """
    text = unicodedata.normalize("NFC", text)
    text = re.sub(f"[{APOSTROPHES}]", "'", text)
    if config.digits == "words":
        text = re.sub(r"[0-9]", lambda match: f" {DIGITS[int(match[0])]} ", text)
    if config.punctuation == "remove":
        text = "".join(_kept(text, place) for place in range(len(text)))
    if config.case != "keep":
        text = text.lower() if config.case == "lower" else text.upper()
    return " ".join(text.split())


def _kept(text: str, place: int) -> str:
    """A character, or a space for a punctuation mark or a sign."""
    character = text[place]
    if character == "'":
        around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
        return character if len(around) == 2 and around.isalpha() else " "
    return " " if unicodedata.category(character)[0] in "PSC" else character
