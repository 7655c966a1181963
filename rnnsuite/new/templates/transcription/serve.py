"""How a trained model is asked: sound files on a server, samples on a device."""

import dataclasses

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, Serving, Signature
from rnnsuite.core.fields import File
from rnnsuite.device import wave
from rnnsuite.inputs.sound_files import read_sound
from rnnsuite.tasks.sections import TranscribeConfig
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.device import device_files, open_device, sound_signature, tone
from rnnsuite.tasks.transcription.recognizer import Recognizer
from rnnsuite.tasks.transcription.show import show

EXAMPLE = 8
"""Steps of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a recording says.

    Args:
        text: its words.
        score: the logarithm of its probability (nats).
        words: each by itself; empty ones stand behind the last.
        starts, ends: of every word, in seconds; 0 behind the last.
    """

    text: str
    score: float
    words: tuple[str, ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]


def signatures(trained):
    """serving_default, nbest and greedy take the bytes of WAV files; sound takes samples and gives
    the classes of every step, for devices.
    """
    hop = trained.fitted.hop
    alphabet = Alphabet(trained.fitted.vocabulary())
    settings = trained.section(TranscribeConfig)
    recognizer = Recognizer(trained.model, alphabet, hop, settings)
    content = {"audio": tf.TensorSpec([None], tf.string, name="audio")}
    example = {"audio": np.array([wave.write(tone(hop * EXAMPLE))] * 2)}

    def by_bytes(answer):
        return Signature(lambda audio: answer(recognizer.sounds(audio)), content, example)

    return {
        "serving_default": by_bytes(recognizer.texts),
        "nbest": by_bytes(recognizer.best),
        "greedy": by_bytes(recognizer.greedy),
        "sound": sound_signature(recognizer, EXAMPLE),
    }


def files(trained):
    """What lies beside .tflite files: symbols, sizes, and the code that decodes."""
    return device_files(Alphabet(trained.fitted.vocabulary()), trained.fitted.hop)


SERVING = Serving(
    fields={"audio": File(read_sound, "a sound file: WAV, FLAC, OGG, MP3 and others")},
    answer=Answer,
    signatures=signatures,
    sections={"transcribe": TranscribeConfig},
    device=Device(files=files, open=open_device),
    show=show,
)
