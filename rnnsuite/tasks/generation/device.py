"""What travels to a device with a model that writes."""

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnsuite.app import OnDevice
from rnnsuite.core.fields import Record
from rnnsuite.device import unigram, writer
from rnnsuite.device.unigram import END, START, Tokenizer
from rnnsuite.inputs.subword import Subwords
from rnnsuite.tasks.sections import SearchConfig

SETTINGS = "decode.json"
"""The file with the settings of the decode loop, which lies beside .tflite files."""


def device_files(
    vocabularies: Mapping[str, Subwords], search: SearchConfig, **settings: Any
) -> dict[str, bytes]:
    """What lies beside .tflite files.

    Args:
        vocabularies: by file name.
        search: how sentences are searched for.
        settings: the application's own, kept in decode.json; `target` is the vocabulary's file.

    Returns:
        Vocabularies, settings, and the reference tokenizer and decode loop, by file name.
    """
    files = {name: _vocabulary_file(subwords) for name, subwords in vocabularies.items()}
    settings = {**settings, "start": START, "end": END, "max_length": search.max_length}
    return {
        **files,
        SETTINGS: (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": pathlib.Path(unigram.__file__).read_bytes(),
        "writer.py": pathlib.Path(writer.__file__).read_bytes(),
    }


def _vocabulary_file(subwords: Subwords) -> bytes:
    lines = zip(subwords.pieces, subwords.scores, strict=True)
    return "".join(f"{piece}\t{score:.9g}\n" for piece, score in lines).encode()


def open_device(
    folder: pathlib.Path,
    request: Callable[[Record, Mapping[str, Any]], Mapping[str, Any]],
    name: str = "text",
) -> OnDevice:
    """Reads what `device_files` wrote.

    Args:
        folder: the device folder.
        request: `request(record, settings)` gives what encode takes; settings are decode.json's.
        name: of the answer's value that holds the sentence.

    Returns:
        The surroundings of a .tflite file, whose answers equal the signature greedy.
    """
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    target = Tokenizer.load(folder / settings["target"], settings["max_tokens"])

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        return {name: target.text(outputs["ids"][0].tolist()).encode()}

    return OnDevice(
        lambda record: request(record, settings),
        answer,
        reference_signature="greedy",
        runner=writer,
    )
