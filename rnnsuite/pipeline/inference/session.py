"""One stream through a signature with states."""

import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rnnsuite.app import App
from rnnsuite.core.errors import UserError
from rnnsuite.device import runner
from rnnsuite.pipeline.inference.card import training_config
from rnnsuite.pipeline.inference.models import find_model, fitted_of
from rnnsuite.pipeline.inference.predictor import as_tensors
from rnnsuite.pipeline.inference.rows import Answers
from rnnsuite.pipeline.inference.saved_model import is_saved_model, load
from rnnsuite.pipeline.run import Run

Call = Callable[[Mapping[str, Any]], Answers]


class Session:
    """A stream: `session(chunk)` gives the outputs that are no states, for a batch of one.

    Outputs that are named like inputs are states: they begin as zeros and go into the next call.

    Args:
        app: the application.
        path: a run, a SavedModel folder or a .tflite file.
        signature: the signature with states.
        overrides: `key=value` of a run's sections that bind no training; what is exported keeps
            those that it was exported with.

    Raises:
        UserError: where the model has no such signature.
    """

    def __init__(
        self,
        app: App,
        path: str | pathlib.Path,
        signature: str,
        overrides: Sequence[str] = (),
    ):
        path = find_model(app, pathlib.Path(path))
        opened = (
            _lite_call(path, signature)
            if path.suffix == ".tflite"
            else _graph_call(app, path, signature, overrides)
        )
        self._call, self._zeros = opened
        self._states: dict[str, np.ndarray] = {}

    def reset(self) -> None:
        """Begins another stream."""
        self._states = {}

    def request(self, chunk: Mapping[str, Any]) -> dict[str, Any]:
        """What the next call would send: the chunk and the states.

        Raises:
            UserError: where the signature takes chunks of another shape.
        """
        for name, value in chunk.items():
            zeros = self._zeros.get(name)
            if zeros is not None and np.shape(value) != zeros.shape:
                raise UserError(
                    f"The model takes {name} of shape {zeros.shape} at a time, not "
                    f"{np.shape(value)}: how long a chunk is was settled at its export."
                )
        return {**self._zeros, **self._states, **chunk}

    def __call__(self, chunk: Mapping[str, Any]) -> Answers:
        outputs = self._call(self.request(chunk))
        self._states = {name: value for name, value in outputs.items() if name in self._zeros}
        return {name: value for name, value in outputs.items() if name not in self._zeros}


def _graph_call(
    app: App, path: pathlib.Path, signature: str, overrides: Sequence[str]
) -> tuple[Call, dict[str, np.ndarray]]:
    function: Any = None
    specs: Mapping[str, Any] = {}
    loaded = load(path) if is_saved_model(path) else None
    if loaded is not None:
        function = loaded.signatures.get(signature)
        specs = function.structured_input_signature[1] if function else {}
    else:
        chosen = Run(app, path).signatures(overrides).get(signature)
        if chosen:
            specs = chosen.inputs
            function = tf.function(chosen.function, autograph=False).get_concrete_function(**specs)
    if function is None:
        raise UserError(f"{path} has no signature {signature!r}.")

    def call(inputs, keep=loaded):  # the loaded object owns the variables
        return {name: value.numpy() for name, value in function(**as_tensors(inputs)).items()}

    zeros = {
        name: np.zeros([1, *spec.shape[1:]], spec.dtype.as_numpy_dtype)
        for name, spec in specs.items()
        if spec.dtype != tf.string
    }
    return call, zeros


def _lite_call(path: pathlib.Path, signature: str) -> tuple[Call, dict[str, np.ndarray]]:
    try:
        model = runner.LiteModel(str(path), signature)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
    return lambda inputs: model(**inputs), model.file.zeros(model.signature)


def stream(
    app: App, path: str | pathlib.Path, source: str, overrides: Sequence[str] = ()
) -> Iterator[Mapping[str, Any]]:
    """Follows a recording or a live source.

    Args:
        app: the application.
        path: its model.
        source: a path, or "microphone".
        overrides: `key=value` of the section that `app.serving.stream` names; see `Session`.

    Yields:
        What is found, as it comes.

    Raises:
        UserError: where the application follows no stream, or the source cannot be read.
    """
    following = app.serving.stream
    if following is None:
        raise UserError(f"{app.name} follows no stream.")
    session = Session(app, path, following.signature, overrides)
    fitted = fitted_of(app, path)
    config = training_config(app, pathlib.Path(path), overrides)
    follower = following.follow(config, fitted)
    for chunk in following.chunks(source, config, fitted):
        yield from follower.feed(session(chunk))
    yield from follower.end()
