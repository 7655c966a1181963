"""What travels to a device with a language model."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnsuite.app import Device, OnDevice, Trained
from rnnsuite.device import language, unigram, words
from rnnsuite.inputs.subword import END, PADDING, START, UNKNOWN, Subwords

from .config import DecodeConfig
from .data import Fitted

SETTINGS = "language.json"
"""The file with the settings of the decode loop, which lies beside .tflite files."""


def banned(decode: DecodeConfig) -> list[int]:
    """Tokens that never come: padding, start, and the unknown one unless it may."""
    return [PADDING, START, *([] if decode.unknown else [UNKNOWN])]


def files(trained: Trained) -> dict[str, bytes]:
    """Vocabulary, settings, and the reference tokenizer and decode loop, by file name."""
    fitted: Fitted = trained.fitted
    decode = trained.section(DecodeConfig)
    vocabulary = fitted.vocabulary()
    if isinstance(vocabulary, Subwords):
        name = "vocabulary.tsv"
        lines = zip(vocabulary.pieces, vocabulary.scores, strict=True)
        content = "".join(f"{piece}\t{score:.9g}\n" for piece, score in lines)
        tokenizer = unigram
    else:
        name = "vocabulary.json"
        content = json.dumps(vocabulary.pieces, ensure_ascii=False)
        tokenizer = words
    settings = {
        "vocabulary": name,
        "unit": fitted.unit,
        "lower": fitted.lower,
        "keep": vocabulary.keep,
        "direction": fitted.direction,
        "max_tokens": fitted.max_tokens,
        "max_length": decode.max_length,
        "banned": banned(decode),
        "end": END,
        "temperature": decode.temperature,
        "top_k": decode.top_k,
        "top_p": decode.top_p,
        "seed": decode.seed,
    }
    return {
        name: content.encode(),
        SETTINGS: (json.dumps(settings) + "\n").encode(),
        "tokenizer.py": pathlib.Path(tokenizer.__file__).read_bytes(),
        "language.py": pathlib.Path(language.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """A text to `ids` [1, n] by the reference tokenizer; answers equal the signature greedy."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    options = {"lower": settings["lower"], "keep": settings["keep"]}
    place = folder / settings["vocabulary"]
    tokenizer: Any
    if settings["unit"] == "subwords":
        tokenizer = unigram.Tokenizer.load(place, settings["max_tokens"], **options)
    else:
        tokenizer = words.Tokenizer.load(place, settings["unit"], settings["max_tokens"], **options)
    is_backward = settings["direction"] == "backward"

    def request(record):
        ids = tokenizer(record["text"])
        return {"ids": np.array([ids[::-1] if is_backward else ids], np.int32).reshape(1, -1)}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        ids = [number for number in outputs["ids"][0].tolist() if number != END]
        return {
            "text": tokenizer.text(ids[::-1] if is_backward else ids).encode(),
            **{name: outputs[name][0] for name in ("score", "log_probability", "tokens")},
        }

    return OnDevice(
        request, answer, reference_signature="greedy", runner=language, signatures=("step",)
    )


DEVICE = Device(files=files, open=open_device)
