"""What a recogniser takes to a device: symbols, sizes, and how its classes become text."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import OnDevice, Signature
from rnnsuite.core.context import current_target
from rnnsuite.core.fields import Record
from rnnsuite.device import transcribe, wave
from rnnsuite.tasks.lengths import lengths_up_to
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.recognizer import Recognizer

LONGEST = 30
SHORTEST = 2
"""Seconds of the longest and shortest sounds that files of static shapes are made for."""
SETTINGS = "alphabet.json"
"""The file with symbols, rates and steps, beside .tflite files."""


def sound_signature(recognizer: Recognizer, example: int) -> Signature:
    """`samples` `[batch, n]` at 16 kHz to `log_probabilities` `[batch, steps, symbols]`.

    In files of static shapes it also takes `length`, the samples that count.

    Args:
        recognizer: gives the network, symbols and samples of a step.
        example: steps of the request by which a server is warmed up.
    """
    samples = {"samples": tf.TensorSpec([None, None], tf.float32, name="samples")}
    own = {"length": tf.TensorSpec([None], tf.int32, name="length")}
    inputs = {**samples, **own} if current_target() == "portable" else samples

    hop = recognizer.hop
    classes_of = recognizer.decoder.alphabet.log_probabilities

    def sound(samples, length=None):
        if length is None:
            length = tf.fill([tf.shape(samples)[0]], tf.shape(samples)[1])
        return {"log_probabilities": classes_of(recognizer.heads(samples, length // hop)["logits"])}

    lengths = lengths_up_to(LONGEST * wave.RATE, SHORTEST * wave.RATE, hop, ratio=4)
    two = {"samples": np.stack([tone(hop * example)] * 2)}
    return Signature(sound, inputs, two, lite=True, lengths=lengths)


def tone(count: int) -> np.ndarray:
    """So many samples of a quiet tone, by which a server is warmed up."""
    return (0.1 * np.sin(np.arange(count) * 0.2)).astype(np.float32)


def device_files(alphabet: Alphabet, hop: int, **settings: Any) -> dict[str, bytes]:
    """Symbols, sizes, and the reference for WAV files and decoding.

    Args:
        alphabet: the symbols.
        hop: samples of a step.
        settings: the application's own, kept beside them.
    """
    values = {
        "pieces": list(alphabet.pieces),
        "is_subwords": alphabet.is_subwords,
        "rate": wave.RATE,
        "hop": hop,
        **settings,
    }
    return {
        SETTINGS: (json.dumps(values, ensure_ascii=False) + "\n").encode(),
        "sound.py": pathlib.Path(wave.__file__).read_bytes(),
        "transcribe.py": pathlib.Path(transcribe.__file__).read_bytes(),
    }


def open_device(folder: pathlib.Path) -> OnDevice:
    """WAV bytes to `samples` [1, n], or to the chunks of a stream; texts as greedy gives them."""
    alphabet = transcribe.Alphabet.load(folder / SETTINGS)
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))

    def request(record: Record) -> dict[str, np.ndarray]:
        return {"samples": wave.whole(record["audio"], settings["hop"])[None]}

    def answer(outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        ids, _, score = transcribe.greedy(outputs["log_probabilities"][0])
        return {"text": alphabet.text(ids).encode(), "score": score}

    def chunks(record: Record) -> list[dict[str, np.ndarray]]:
        size = settings["chunk"]
        samples = wave.whole(record["audio"], size)
        return [{"samples": part[None]} for part in samples.reshape(-1, size)]

    return OnDevice(
        request,
        answer,
        chunks if "chunk" in settings else None,
        signature="sound",
        reference_signature="greedy",
    )
