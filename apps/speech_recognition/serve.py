"""How a trained model is asked: sound files on a server, samples on a device or in a stream."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Device, Serving, Signature, Stream, Trained
from rnnsuite.core.fields import File
from rnnsuite.device import transcribe, wave
from rnnsuite.inputs import sound_files
from rnnsuite.tasks.sections import DictationConfig, TranscribeConfig
from rnnsuite.tasks.streams import stream_signature
from rnnsuite.tasks.transcription.alphabet import Alphabet
from rnnsuite.tasks.transcription.device import device_files, open_device, sound_signature, tone
from rnnsuite.tasks.transcription.recognizer import TIMING, Recognizer
from rnnsuite.tasks.transcription.show import show

from .data import Fitted
from .model import stream as stream_of

if TYPE_CHECKING:
    from rnnsuite.pipeline.config import Config

WARM_UP = 8
"""Steps of the request by which a server is warmed up."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is said in a recording.

    Args:
        text: its words, by the rule of the training's transcripts.
        score: the logarithm of its probability (nats), and what a language model adds.
        words: each by itself; empty ones stand behind the last.
        starts, ends: of every word, in seconds; 0 behind the last.
    """

    text: str
    score: float
    words: tuple[str, ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]


def signatures(trained: Trained) -> dict[str, Signature]:
    """serving_default, nbest, greedy and causal take `audio` `[batch]`, WAV bytes; waveform takes
    `samples` `[batch, n]` at 16 kHz, logits `audio`.

    Args:
        trained: the model, with the section transcribe.

    Returns:
        Signatures by name. serving_default and waveform give what `Answer` says; nbest `text` and
        `score` `[batch, beam]`; greedy and causal `text` and `score`, of both directions and as a
        stream would hear it; logits and sound, for devices, `log_probabilities` `[batch, steps,
        symbols]`; stream those of the next `stream.chunk` seconds, `look_ahead` steps late, and the
        states.
    """
    alphabet = Alphabet(trained.fitted.vocabulary())
    settings = trained.section(TranscribeConfig)
    chain = stream_of(trained.model)
    timed = timing_head(trained.model)
    stored_as = trained.config.export.weights
    hop = trained.fitted.hop
    recognizer = Recognizer(trained.model, alphabet, hop, settings, timed, stored_as)
    classes_of = alphabet.log_probabilities
    content = {"audio": tf.TensorSpec([None], tf.string, name="audio")}
    samples = {"samples": tf.TensorSpec([None, None], tf.float32, name="samples")}

    def by_bytes(answer):
        return lambda audio: answer(recognizer.sounds(audio))

    def waveform(samples):
        finite = tf.clip_by_value(tf.where(tf.math.is_finite(samples), samples, 0.0), -1.0, 1.0)
        missing = -tf.shape(finite)[1] % hop
        whole = tf.pad(finite, [[0, 0], [0, missing]])
        return recognizer.texts(tf.RaggedTensor.from_tensor(whole))

    sounds = {"audio": np.array([wave.write(tone(hop * WARM_UP))] * 2)}
    two = {"samples": np.stack([tone(hop * WARM_UP)] * 2)}
    by_name = {
        "serving_default": Signature(by_bytes(recognizer.texts), content, sounds),
        "nbest": Signature(by_bytes(recognizer.best), content, sounds),
        "greedy": Signature(by_bytes(recognizer.greedy), content, sounds),
        "waveform": Signature(waveform, samples, two),
        "logits": Signature(by_bytes(recognizer.classes), content, sounds),
        "sound": sound_signature(recognizer, WARM_UP),
    }
    if chain:

        def step(samples, **states):
            new = chain.chunk(samples, **states)
            return {"log_probabilities": classes_of(new.pop("output")), **new}

        def causal(audio):
            return recognizer.greedy(recognizer.sounds(audio), "stream_logits")

        by_name["causal"] = Signature(causal, content, sounds)
        size = chunk_size(trained.section(DictationConfig), hop)
        by_name["stream"] = stream_signature(step, "samples", [size], chain.states)
    return by_name


def timing_head(model: Any) -> str:
    """The output by which words are timed: of those that there are, what sees least of a sound."""
    names = (TIMING, "stream_logits", "logits")
    return next(name for name in names if name in model.output)


def files(trained: Trained) -> dict[str, bytes]:
    """Symbols, sizes, and the reference for WAV files and decoding."""
    hop = trained.fitted.hop
    alphabet = Alphabet(trained.fitted.vocabulary())
    size = chunk_size(trained.section(DictationConfig), hop)
    return device_files(alphabet, hop, chunk=size, ahead=trained.config.model.look_ahead)


def chunk_size(settings: DictationConfig, hop: int) -> int:
    """Samples that a stream is fed at a time: whole steps, one at least. hop: samples of a step."""
    return max(round(settings.chunk * wave.RATE / hop), 1) * hop


def chunks(source: str, config: "Config", fitted: Fitted) -> Iterator[dict[str, np.ndarray]]:
    """Some steps' samples after the other of a sound file, or of the microphone. Raises UserError.

    Behind a file comes the silence that the last words wait for.
    """
    size = chunk_size(config.sections["stream"], fitted.hop)
    for block in sound_files.followed(source, size):
        yield {"samples": block[None]}
    for _ in range(-(-config.model.look_ahead * fitted.hop // size)):
        yield {"samples": np.zeros([1, size], np.float32)}


class Follower:
    """Writes a stream down; see `rnnsuite.device.transcribe.Transcriber`.

    Args:
        config: gives the search, and by how many steps outputs are late.
        fitted: gives the symbols.
    """

    def __init__(self, config: "Config", fitted: Fitted):
        settings = config.sections["stream"]
        alphabet = Alphabet(fitted.vocabulary())
        self.transcriber = transcribe.Transcriber(
            transcribe.Alphabet(list(alphabet.pieces), alphabet.is_subwords),
            fitted.hop / wave.RATE,
            config.model.look_ahead,
            settings.beam,
            settings.pause,
        )

    def feed(self, outputs: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """Words that stand from now on, and the text behind them that may change."""
        return self.transcriber.feed(outputs["log_probabilities"][0])

    def end(self) -> list[dict[str, Any]]:
        """The words that are left."""
        return self.transcriber.end()


SERVING = Serving(
    fields={"audio": File(sound_files.read_sound, "a sound file: WAV, FLAC, OGG, MP3 and others")},
    answer=Answer,
    signatures=signatures,
    sections={"transcribe": TranscribeConfig, "stream": DictationConfig},
    device=Device(files=files, open=open_device),
    stream=Stream(section="stream", signature="stream", chunks=chunks, follow=Follower),
    show=show,
)
