"""Answers from a trained model, whatever form it has: a run, a SavedModel folder or a .tflite file."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from rnnsuite.app import App, Signature
from rnnsuite.errors import UserError, nearest
from rnnsuite.export import runner
from rnnsuite.progress import bar
from rnnsuite.run import Run, load_fitted

BATCH = 64
Answers = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictor:
    """`answer(records)` gives `{name: array}` with one row a record, in their order.

    kind: "run", "SavedModel" or "tflite". signatures: what `ask` may name, each with the
    default values of its optional inputs.
    """

    kind: str
    ask: Callable[[Sequence[Mapping[str, Any]], str, Mapping[str, Any]], Answers]
    signatures: Mapping[str, Mapping[str, Any]]

    def answer(
        self,
        records: Sequence[Mapping[str, Any]],
        signature: str = "serving_default",
        options: Mapping[str, Any] | None = None,
    ) -> Answers:
        """options: values for optional inputs. Raises UserError on an unknown signature or option, or a refused one."""
        if signature not in self.signatures:
            raise UserError(f"This {self.kind} has no signature {signature!r}; it has {', '.join(self.signatures)}.")
        known = self.signatures[signature]
        for name in options or ():
            if name not in known:
                raise UserError(f"{signature} has no optional input {name!r}.{nearest(name, known)}")
        try:
            given = {name: np.asarray(value, known[name].dtype) for name, value in (options or {}).items()}
            for name, value in given.items():
                if value.dtype.kind == "i" and value != options[name]:
                    raise ValueError(f"{name} must be a whole number")
            return self.ask(records, signature, {**known, **given})
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            if not options:
                raise
            raise UserError(f"{signature} with {dict(options)}: {_asserted(error)}") from error


def open_model(app: App, path: str | pathlib.Path, overrides: Sequence[str] = ()) -> Predictor:
    """The model at `path`. Raises UserError where there is none, or one that is damaged or another application's.

    overrides: of a run's `decode` section; what is exported keeps the settings that it was exported with.
    """
    path = pathlib.Path(path)
    if overrides and (path.suffix == ".tflite" or (path / "saved_model.pb").is_file()):
        raise UserError(f"{path} answers as it was exported; {overrides[0]} holds for a run only.")
    if path.suffix == ".tflite":
        return _from_lite(app, path)
    if (path / "saved_model.pb").is_file():
        return _from_saved_model(app, path)
    if path.is_dir():
        return of_signatures("run", Run(app, path).signatures(overrides))
    raise UserError(f"There is no model at {path}: give a run folder, a SavedModel folder or a .tflite file.")


def of_signatures(kind: str, signatures: Mapping[str, Signature]) -> Predictor:
    """A predictor that asks signatures as they are; each is traced once."""

    @functools.cache
    def function(name):
        signature = signatures[name]
        traced = tf.function(signature.function, autograph=False).get_concrete_function(**signature.inputs)
        return traced

    asked = {name: [key for key in each.inputs if key not in each.defaults] for name, each in signatures.items()}
    return _batched(kind, function, asked, {name: each.defaults for name, each in signatures.items()})


def _from_saved_model(app: App, path: pathlib.Path) -> Predictor:
    loaded, defaults = _loaded(path), _defaults(path)

    return _batched("SavedModel", lambda name: loaded.signatures[name], _asked(loaded, defaults), defaults)


def _loaded(path: pathlib.Path) -> Any:
    import tensorflow_text  # noqa: F401  registers the text operations

    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(f"{path} is damaged: {' '.join(str(error).split())[:300]}") from error


def _asserted(error: Exception) -> str:
    """What an assertion in the graph says, without where it stands."""
    message = " ".join(str(error).split())
    return message.split("assertion failed: ")[-1].split(" [[")[0][:300]


def _asked(loaded: Any, defaults: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The inputs of every signature that have no default value."""
    return {
        name: [key for key in function.structured_input_signature[1] if key not in defaults[name]]
        for name, function in loaded.signatures.items()
    }


def _defaults(path: pathlib.Path) -> dict[str, dict[str, np.ndarray]]:
    """The values of inputs that may be left out, which tf.saved_model.load does not look at, by signature."""
    graph = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs[0]
    return {
        name: {key: tf.make_ndarray(value) for key, value in signature.defaults.items()}
        for name, signature in graph.signature_def.items()
    }


def fitted_of(app: App, path: str | pathlib.Path) -> Any:
    """What was fitted on train, from a run, a SavedModel folder or beside a .tflite file. Raises UserError."""
    path = pathlib.Path(path)
    places = [path / "fitted.json", path / "assets.extra" / "fitted.json", path.parent / "fitted.json"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise UserError(f"There is no fitted.json with {path}: give a run, or a model as it was exported.")
    return load_fitted(app, found)


class Session:
    """One stream through a signature with states: `session(piece)` gives the other outputs, for a batch of one.

    Outputs that are named like inputs are states: they begin as zeros and go into the next call.
    """

    def __init__(self, app: App, path: str | pathlib.Path, signature: str):
        path = pathlib.Path(path)
        self.call, shapes = (_lite_session if path.suffix == ".tflite" else _graph_session)(app, path, signature)
        self.zeros = {name: np.zeros([1, *shape[1:]], np.float32) for name, shape in shapes.items()}
        self.states: dict[str, np.ndarray] = {}

    def request(self, piece: Mapping[str, Any]) -> dict[str, Any]:
        """What the next call would send: the piece and the states."""
        return {**self.zeros, **self.states, **piece}

    def __call__(self, piece: Mapping[str, Any]) -> Answers:
        outputs = self.call(self.request(piece))
        self.states = {name: value for name, value in outputs.items() if name in self.zeros}
        return {name: value for name, value in outputs.items() if name not in self.zeros}


def _graph_session(app: App, path: pathlib.Path, signature: str):
    if (path / "saved_model.pb").is_file():
        loaded = _loaded(path)  # kept, and with it the variables
        function = loaded.signatures.get(signature)
        specs = function.structured_input_signature[1] if function else {}
    else:
        run = Run(app, path)
        found = run.signatures().get(signature)
        specs = found.inputs if found else {}
        function = tf.function(found.function, autograph=False).get_concrete_function(**specs) if found else None
    if function is None:
        raise UserError(f"{path} has no signature {signature!r}.")

    def call(inputs):
        return {name: value.numpy() for name, value in function(**_tensors(inputs)).items()}

    return call, {name: tuple(spec.shape) for name, spec in specs.items()}


def _tensors(inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in inputs.items()}


def _lite_session(app: App, path: pathlib.Path, signature: str):
    try:
        model = runner.LiteModel(str(path), signature)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    details = model.runner.get_input_details()
    return lambda inputs: model(**inputs), {name: tuple(each["shape"]) for name, each in details.items()}


def stream(app: App, path: str | pathlib.Path, source: str, settings: Any) -> Iterator[Mapping[str, Any]]:
    """What the application finds in a recording, or a live source, as it comes. Raises UserError."""
    if app.stream is None:
        raise UserError(f"{app.name} follows no stream.")
    session = Session(app, path, app.stream.signature)
    follower = app.stream.follow(settings, fitted_of(app, path))
    for piece in app.stream.pieces(source):
        yield from follower.feed(session(piece))
    yield from follower.end()


def inputs_of(folder: pathlib.Path, signature: str = "serving_default") -> list[str]:
    """The names of inputs that a SavedModel's signature must be given."""
    return _asked(tf.saved_model.load(str(folder)), _defaults(folder))[signature]


def _batched(
    kind: str,
    function: Callable[[str], Callable],
    inputs: Mapping[str, Sequence[str]],
    defaults: Mapping[str, Mapping[str, Any]],
) -> Predictor:
    def ask(records, signature, options):
        names = inputs[signature]
        missing = [name for name in names if records and name not in records[0]]
        if missing:
            raise UserError(f"The records lack {', '.join(missing)}, which signature {signature!r} asks for.")
        # Neighbours of like size waste little padding.
        order = sorted(range(len(records)), key=lambda i: _weight(records[i][names[0]]))
        rows: list[Any] = [None] * len(records)
        call, settings = function(signature), _tensors(options)
        for batch in bar(_cut(order), desc="answers", unit="batch", disable=len(order) <= BATCH):
            outputs = call(**{name: tf.constant([records[i][name] for i in batch]) for name in names}, **settings)
            columns = {name: value.numpy() for name, value in outputs.items()}
            for row, i in enumerate(batch):
                rows[i] = {name: column[row] for name, column in columns.items()}
        return gather(rows)

    return Predictor(kind, ask, defaults)


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
        if isinstance(value, np.ndarray | np.generic):
            return plain(value.tolist())
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value

    # Words before numbers: a label before its probabilities.
    names = sorted(answers, key=lambda name: (answers[name].dtype.kind == "f", answers[name].ndim, name))
    return {name: plain(np.asarray(answers[name][row])[()]) for name in names}


def _from_lite(app: App, path: pathlib.Path) -> Predictor:
    device = app.on_device(path.parent)
    model = (device.program or runner).open_model(str(path), device.signature)

    def ask(records, signature, options):
        answers = (
            device.answer(model(**device.request(record)))
            for record in bar(records, desc="answers", unit="record", disable=len(records) <= BATCH)
        )
        return gather(list(answers))

    return Predictor("tflite", ask, {"serving_default": {}})
