"""How a trained model is asked: text that goes on, next words, log P; step by step on a device."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Serving, Signature, Trained
from rnnsuite.core.fields import Text
from rnnsuite.inputs.subword import END
from rnnsuite.tasks.language import Network

from .config import DecodeConfig, ScoreConfig
from .data import Fitted, in_order, shifted
from .device import DEVICE
from .show import show
from .writer import Writer

EXAMPLES = ["The", "The history of"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What comes after a text, and log P (nats) of it and of the text.

    Args:
        text: the continuation.
        score: the logarithm of its probability.
        log_probability: that of the request's text, its end not included.
        tokens: of the request's text.
    """

    text: str
    score: float
    log_probability: float
    tokens: int


def signatures(trained: Trained) -> dict[str, Signature]:
    """Every way to ask the model; all but proceed, read and step take `text` `[batch]`.

    serving_default and generate give `text`, drawn as the section decode says, generate with
    optional inputs in its place; greedy, the most probable token after the other; nbest, `[batch,
    beam]`. next gives the most probable next tokens and their `probabilities`; score, every
    token's `log_probabilities`. begin and proceed write piece by piece, with states that go from
    call to call. read takes ids and states, step one token; step is for devices.
    """
    decode = trained.section(DecodeConfig)
    network = Network(trained.model, trained.section(ScoreConfig).temperature)
    writer = Writer(network, trained.fitted, decode)
    sampling = {
        "temperature": decode.temperature,
        "top_k": decode.top_k,
        "top_p": decode.top_p,
    }
    length = {"max_length": decode.max_length}
    drawing = {**sampling, **length, "seed": decode.seed}
    stop = "\n".join(decode.stop)
    inputs = {"text": tf.TensorSpec([None], tf.string, name="text")}
    example = {"text": np.array(EXAMPLES)}

    def of_texts(function: Callable, **settings: Any) -> Signature:
        return _with_settings(function, inputs, example, settings, writer.vocabulary)

    def serving_default(text):
        settings = {name: tf.constant(value) for name, value in drawing.items()}
        return writer.generate(text, stop=tf.constant(stop), **settings)

    proceeding, rest = _proceeding(network)
    return {
        "serving_default": of_texts(serving_default),
        "generate": of_texts(writer.generate, **drawing, stop=stop),
        "greedy": of_texts(writer.greedy, **length),
        "nbest": of_texts(writer.search, beam=decode.beam, length_penalty=1.0, **length),
        "next": of_texts(writer.next, count=decode.count),
        "score": of_texts(_scorer(network, trained.fitted, writer.vocabulary)),
        "begin": of_texts(writer.begin, seed=decode.seed),
        "proceed": _with_settings(writer.proceed, proceeding, rest, sampling, writer.vocabulary),
        "read": _read_signature(network),
        "step": _step_signature(network),
    }


def _with_settings(
    function: Callable,
    inputs: Mapping[str, tf.TensorSpec],
    example: Mapping[str, np.ndarray],
    settings: Mapping[str, Any],
    vocabulary: Any,
) -> Signature:
    """A signature that also takes optional inputs, with these defaults."""
    defaults = {name: _as_array(value) for name, value in settings.items()}
    specs = {
        name: tf.TensorSpec([], tf.as_dtype(value.dtype), name=name)
        for name, value in defaults.items()
    }
    return Signature(
        function,
        inputs={**inputs, **specs},
        example={**example, **defaults},
        tracked=[vocabulary],
        defaults=defaults,
    )


def _as_array(value: Any) -> np.ndarray:
    if isinstance(value, str):
        return np.array(value.encode(), object)
    return np.array(value, np.int32 if type(value) is int else np.float32)


def _scorer(network: Network, fitted: Fitted, vocabulary: Any) -> Callable:
    """`score(text)`: log P of a text, its end included, and of each of its tokens."""
    direction = fitted.direction

    def score(text):
        before, targets = shifted(in_order(vocabulary(text), direction))
        mask = tf.sequence_mask(before.row_lengths())
        vectors, _ = network.read(before.to_tensor(), network.zeros(before.nrows()), mask)
        logs = tf.where(mask, -network.losses(vectors, targets.to_tensor()), 0.0)
        if direction == "backward":
            ragged = tf.RaggedTensor.from_tensor(logs, targets.row_lengths())
            logs = _reversed_but_last(ragged).to_tensor()
            targets = _reversed_but_last(targets)
        return {
            "tokens": vocabulary.tokens(targets.to_tensor()),
            "log_probabilities": logs,
            "log_probability": tf.reduce_sum(logs, axis=1),
        }

    return score


def _reversed_but_last(ragged: tf.RaggedTensor) -> tf.RaggedTensor:
    """Rows from their end to their beginning, their last value in its place."""
    return tf.concat([ragged[:, :-1][:, ::-1], ragged[:, -1:]], axis=1)


def _state_specs(network: Network) -> tuple[dict[str, tf.TensorSpec], dict[str, np.ndarray]]:
    """What describes the states, and zeros for a batch of one."""
    zeros = network.zeros(1)
    specs = {
        name: tf.TensorSpec([None, *value.shape[1:]], value.dtype, name=name)
        for name, value in zeros.items()
    }
    return specs, {name: value.numpy() for name, value in zeros.items()}


def _proceeding(network: Network) -> tuple[dict[str, tf.TensorSpec], dict[str, np.ndarray]]:
    """What begin gives and proceed takes."""
    specs, zeros = _state_specs(network)
    names = ("token", "position", "draw")
    own = {name: tf.TensorSpec([None], tf.int32, name=name) for name in names}
    first = {name: np.zeros([1], np.int32) for name in names}
    return {**own, **specs}, {**first, "token": np.array([END], np.int32), **zeros}


def _read_signature(network: Network) -> Signature:
    """Ids, the ids after them, and states to the log P of each, vectors and new states."""
    specs, zeros = _state_specs(network)

    def read(ids, targets, **states):
        vectors, after = network.read(ids, states)
        logs = -network.losses(vectors, targets)
        return {"log_probabilities": logs, "vectors": vectors, **after}

    ids = {name: tf.TensorSpec([None, None], tf.int32, name=name) for name in ("ids", "targets")}
    example = {name: np.array([[END, END]], np.int32) for name in ids}
    return Signature(read, {**ids, **specs}, {**example, **zeros})


def _step_signature(network: Network) -> Signature:
    """A token and states to the log P of every next token, and the new states."""
    specs, zeros = _state_specs(network)

    def step(token, **states):
        logs, after = network.step(token, states)
        return {"log_probabilities": logs, **after}

    token = {"token": tf.TensorSpec([None], tf.int32, name="token")}
    example = {"token": np.array([END], np.int32)}
    return Signature(step, {**token, **specs}, {**example, **zeros}, lite=True)


SERVING = Serving(
    fields={"text": Text("the beginning of a text")},
    answer=Answer,
    signatures=signatures,
    sections={"decode": DecodeConfig, "score": ScoreConfig},
    device=DEVICE,
    drawn=("text", "score"),
    live="decode",
    show=show,
)
