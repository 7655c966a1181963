"""A whole text scored: the state goes from its first token to its last, whatever the form."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import Asked
from rnnsuite.core.errors import UserError
from rnnsuite.core.fields import Record
from rnnsuite.core.progress import bar

from .cache import CachePointer
from .config import ScoreConfig
from .data import END, Fitted, in_order
from .dynamic import Adapting

States = dict[str, np.ndarray]
Pieces = Iterator[tuple[np.ndarray, np.ndarray, bool]]


@dataclasses.dataclass(frozen=True)
class Read:
    """What reading a piece gives: log P (nats) of its targets, and the vectors before them."""

    log_probabilities: np.ndarray
    vectors: np.ndarray | None


def answers(subject: Asked, records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Log P of every record, its end included.

    The records are read one after the other, each from the state that the one before left, or from
    none where the model was trained so.

    Args:
        subject: the model; its section `score` says how.
        records: with `text`, in the order of the text.

    Returns:
        `log_probability` (nats), `tokens`, `ends` and `unknown`, `[records]` each.

    Raises:
        UserError: for dynamic evaluation of an exported model or with a cache, and for a cache of
            a device's file.
    """
    settings = next(
        part for part in subject.config.sections.values() if isinstance(part, ScoreConfig)
    )
    cache = CachePointer(settings) if settings.cache else None
    if cache and "read" not in subject.signatures:
        raise UserError("score.cache: a .tflite file does not give the vectors that it needs.")
    if cache and settings.dynamic:
        raise UserError("score.cache and score.dynamic exclude each other: give one of them.")
    ids = token_ids(subject.fitted, records)
    reader = _reader(subject, settings)
    logs = []
    lengths = [len(document) + 1 for document in ids]
    total = sum(lengths)
    with bar(total=total, desc="text", unit="token", disable=total < 20_000) as shown:
        for inputs, targets, is_fresh in _pieces(ids, settings.piece, subject.fitted.reset):
            if is_fresh:
                reader.reset()
            read = reader.read(inputs, targets)
            values = read.log_probabilities
            if cache:
                values = cache.mixed(values, read.vectors, targets)
            logs.append(values)
            shown.update(len(targets))
    flat = np.concatenate(logs).astype(np.float64)
    ends = np.cumsum(lengths)
    sums = np.add.reduceat(flat, [0, *ends[:-1]])
    unknown = [int(np.sum(document == 1)) for document in ids]
    return {
        "log_probability": sums,
        "tokens": np.array(lengths),
        "ends": np.ones(len(lengths), int),
        "unknown": np.array(unknown),
    }


def token_ids(fitted: Fitted, records: Sequence[Record]) -> list[np.ndarray]:
    """The ids of every record's text, in the order of reading, without its end."""
    vocabulary = fitted.vocabulary(whole=True)
    ids = []
    for start in range(0, len(records), 256):
        texts = tf.constant([record["text"] for record in records[start : start + 256]])
        ragged = in_order(vocabulary(texts), fitted.direction)
        ids += [np.asarray(row, np.int32) for row in ragged.numpy()]
    return ids


def _pieces(ids: Sequence[np.ndarray], size: int, reset: bool) -> Pieces:
    """(inputs, targets, whether the state is zero before) of the whole text."""
    documents = (
        ids if reset else [np.concatenate([part for document in ids for part in (document, [END])])]
    )
    is_first = True
    for document in documents:
        targets = np.append(document, END) if reset else document
        inputs = np.concatenate([[END], targets[:-1]])
        for start in range(0, len(targets), size):
            is_fresh = is_first or (reset and start == 0)
            is_first = False
            end = start + size
            yield inputs[start:end].astype(np.int32), targets[start:end].astype(np.int32), is_fresh


def _reader(subject: Asked, settings: ScoreConfig) -> Any:
    if settings.dynamic:
        if subject.trained is None:
            raise UserError(
                "score.dynamic: dynamic evaluation changes weights, and an exported model's cannot "
                "be changed; give the run."
            )
        return Adapting(subject, settings)
    return _PieceReader(subject) if "read" in subject.signatures else _StepReader(subject)


class _Reader:
    """Reads pieces, each from the state that the one before left."""

    def __init__(self, subject: Asked):
        self.subject = subject
        self.zeros = zero_states(subject)
        self.states = self.zeros

    def reset(self) -> None:
        """Forgets what was read."""
        self.states = self.zeros

    def ask(self, signature: str, **record: Any) -> Mapping[str, Any]:
        """The outputs for one record and the states, which are kept for the next."""
        outputs = self.subject.ask([{**record, **self.states}], signature)
        self.states = {name: outputs[name][0] for name in self.zeros}
        return outputs


class _PieceReader(_Reader):
    """Whole pieces, through the signature read."""

    def read(self, inputs: np.ndarray, targets: np.ndarray) -> Read:
        """Reads a piece."""
        outputs = self.ask("read", ids=inputs, targets=targets)
        return Read(outputs["log_probabilities"][0], outputs["vectors"][0])


class _StepReader(_Reader):
    """Token by token, through the signature step, for a device's file."""

    def read(self, inputs: np.ndarray, targets: np.ndarray) -> Read:
        """Reads a piece."""
        logs = [
            self.ask("step", token=token)["log_probabilities"][0][target]
            for token, target in zip(inputs, targets, strict=True)
        ]
        return Read(np.array(logs), None)


def zero_states(subject: Asked) -> States:
    """The states before anything was read, without the batch."""
    from .model import recurrent

    stack = recurrent(subject.config.model, "recurrent")
    return {name: np.zeros(shape, np.float32) for name, shape in stack.states.items()}
