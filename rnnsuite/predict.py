"""Answers from a trained model, whatever form it has: a run, a SavedModel folder or a .tflite file."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.errors import UserError
from rnnsuite.export.runner import LiteModel
from rnnsuite.progress import bar
from rnnsuite.run import Run

BATCH = 64
Answers = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """`answer(records)` gives `{name: array}` with one row a record, in their order.

    kind: "run", "SavedModel" or "tflite". signatures: what `ask` may name.
    """

    kind: str
    ask: Callable[[Sequence[Mapping[str, Any]], str], Answers]
    signatures: Sequence[str]

    def answer(self, records: Sequence[Mapping[str, Any]], signature: str = "serving_default") -> Answers:
        if signature not in self.signatures:
            raise UserError(f"This {self.kind} has no signature {signature!r}; it has {', '.join(self.signatures)}.")
        return self.ask(records, signature)


def open_model(app: App, path: str | pathlib.Path) -> Predictor:
    """The model at `path`. Raises UserError where there is none, or one that is damaged or another application's."""
    path = pathlib.Path(path)
    if path.suffix == ".tflite":
        return _from_lite(app, path)
    if (path / "saved_model.pb").is_file():
        return _from_saved_model(app, path)
    if path.is_dir():
        return _from_run(app, path)
    raise UserError(f"There is no model at {path}: give a run folder, a SavedModel folder or a .tflite file.")


def _from_run(app: App, path: pathlib.Path) -> Predictor:
    run = Run(app, path)
    signatures = app.signatures(run.model(), run.fitted())
    functions = {
        name: tf.function(signature.function, input_signature=list(signature.inputs.values()))
        for name, signature in signatures.items()
    }
    inputs = {name: list(signature.inputs) for name, signature in signatures.items()}
    return _batched("run", lambda name: functions[name], inputs)


def _from_saved_model(app: App, path: pathlib.Path) -> Predictor:
    import tensorflow_text  # noqa: F401  registers the text operations

    try:
        loaded = tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"{path} is damaged: {' '.join(str(error).split())[:300]}") from error
    inputs = _inputs(loaded)

    def call(name):
        function = loaded.signatures[name]
        return lambda *tensors: function(**dict(zip(inputs[name], tensors, strict=True)))

    return _batched("SavedModel", call, inputs)


def _inputs(loaded: Any) -> dict[str, list[str]]:
    return {name: list(function.structured_input_signature[1]) for name, function in loaded.signatures.items()}


def inputs_of(folder: pathlib.Path, signature: str = "serving_default") -> list[str]:
    """The input names of a SavedModel's signature."""
    return _inputs(tf.saved_model.load(str(folder)))[signature]


def _batched(kind: str, function: Callable[[str], Callable], inputs: Mapping[str, Sequence[str]]) -> Predictor:
    def ask(records, signature):
        names = inputs[signature]
        missing = [name for name in names if records and name not in records[0]]
        if missing:
            raise UserError(f"The records lack {', '.join(missing)}, which signature {signature!r} asks for.")
        # Neighbours of like size waste little padding.
        order = sorted(range(len(records)), key=lambda i: _weight(records[i][names[0]]))
        rows: list[Any] = [None] * len(records)
        call = function(signature)
        for batch in bar(_cut(order), desc="answers", unit="batch", disable=len(order) <= BATCH):
            outputs = call(*(tf.constant([records[i][name] for i in batch]) for name in names))
            columns = {name: value.numpy() for name, value in outputs.items()}
            for row, i in enumerate(batch):
                rows[i] = {name: column[row] for name, column in columns.items()}
        return gather(rows)

    return Predictor(kind, ask, list(inputs))


def _cut(order: Sequence[int]) -> list[Sequence[int]]:
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def _weight(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes) else int(np.size(value))


def gather(rows: Sequence[Mapping[str, Any]]) -> Answers:
    """One array a name from a list of answers; rows of different lengths make an array of objects."""
    columns = {}
    for name in rows[0] if rows else ():
        values = [np.asarray(row[name]) for row in rows]
        ragged = len({value.shape for value in values}) > 1
        columns[name] = np.array(values, dtype=object) if ragged else np.stack(values)
    return columns


def readable(answers: Answers, row: int) -> dict[str, Any]:
    """One row of answers as plain Python values, strings decoded."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [plain(each) for each in value.tolist()]
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value

    # Words before numbers: a label before its probabilities.
    names = sorted(answers, key=lambda name: (answers[name].dtype.kind == "f", answers[name].ndim, name))
    return {name: plain(np.asarray(answers[name][row])[()]) for name in names}


def _from_lite(app: App, path: pathlib.Path) -> Predictor:
    device = app.on_device(path.parent)
    model = LiteModel(str(path))

    def ask(records, signature):
        answers = (
            device.answer(model(**device.request(record)))
            for record in bar(records, desc="answers", unit="record", disable=len(records) <= BATCH)
        )
        return gather(list(answers))

    return Predictor("tflite", ask, ["serving_default"])
