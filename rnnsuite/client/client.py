"""One client for both ways to a server."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from rnnsuite.app import App
from rnnsuite.client.errors import (
    ClientError,
    ModelMissing,
    RequestRefused,
    ServerFailed,
    ServerUnavailable,
    SignatureMissing,
    TimedOut,
    VersionMissing,
)
from rnnsuite.client.transport import Failed, Transport, Which
from rnnsuite.core.errors import nearest
from rnnsuite.core.fields import (
    Record,
    group_by_shape,
    optional,
    record_from_json,
    record_from_text,
)

DEFAULT = "serving_default"
Found = TypeVar("Found")
_REFUSED = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "NOT_FOUND")
_KINDS = {"UNAVAILABLE": ServerUnavailable, "DEADLINE_EXCEEDED": TimedOut}


class Client:
    """Asks the models of one server; safe to use from several threads.

    Args:
        target: `http://host:8501` or `https://...` for REST, `host:8500` for gRPC, or a transport.
        timeout: seconds for an answer, all attempts and pauses included.
        attempts: how often a request is sent where the server says UNAVAILABLE (no server yet,
            none any more, or too busy); nothing else is tried again.
        pause: seconds before the second attempt, doubled before every further one, and drawn at
            random up to that.
        options: of the transport: headers (REST), credentials and metadata (gRPC).

    Raises:
        ValueError: on numbers that make no sense.
    """

    def __init__(
        self,
        target: str | Transport,
        *,
        timeout: float = 30.0,
        attempts: int = 4,
        pause: float = 0.2,
        **options: Any,
    ):
        if timeout <= 0 or attempts < 1 or pause < 0:
            raise ValueError("timeout must be above 0, attempts at least 1, pause not negative")
        self.timeout = timeout
        self.attempts = attempts
        self.pause = pause
        self.transport = _open(target, options) if isinstance(target, str) else target
        self.target = target

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.transport.close()

    def predict(
        self,
        model: str | Which,
        inputs: Mapping[str, Any],
        signature: str = DEFAULT,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Asks a signature.

        Args:
            model: the model's name.
            inputs: arrays, or lists of numbers, of str or of bytes, one column each.
            signature: the one to ask.
            version: of the model; the newest by default.
            label: of a version, in place of its number.
            timeout: seconds, in place of the client's.

        Returns:
            The outputs, with a row for each row of the inputs; texts are bytes.

        Raises:
            ClientError: where there is no answer.
        """
        which = _which(model, version, label)
        columns = {name: _column(value) for name, value in inputs.items()}
        return self._call(
            which,
            signature,
            timeout,
            lambda left: self.transport.predict(which, signature, columns, left),
        )

    def answers(
        self,
        app: App,
        values: Sequence[str | Mapping[str, Any]],
        *,
        model: str | Which | None = None,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """An application's answers to requests.

        Args:
            app: the application, whose fields say what a request holds.
            values: what a person types for each (a text, a path, JSON), or a mapping with a value
                for every field.
            model: the name that it is served by, where it is not the application's.
            version: see `predict`.
            label: see `predict`.
            timeout: see `predict`.

        Returns:
            An `app.serving.answer` for each.

        Raises:
            UserError: where a value is unfit, or a file cannot be read.
            ClientError: where there is no answer.
        """
        records = [_record(app, value) for value in values]
        names = list(app.serving.fields)
        left_out = optional(app.serving.fields)
        results: list[Any] = [None] * len(records)
        for indices in group_by_shape(records, names, max(len(records), 1)):
            # A model need not have an input that requests may leave out.
            columns = {
                name: [records[i][name] for i in indices]
                for name in names
                if name not in left_out or np.size(records[indices[0]][name])
            }
            outputs = self.predict(
                model or app.name, columns, version=version, label=label, timeout=timeout
            )
            for row, i in enumerate(indices):
                results[i] = _typed(app, outputs, row, model or app.name)
        return results

    def versions(self, model: str, timeout: float | None = None) -> dict[int, str]:
        """Every version of a model and its state, such as AVAILABLE. Raises ClientError."""
        which = Which(model)
        return self._call(which, None, timeout, lambda left: self.transport.states(which, left))

    def signatures(
        self,
        model: str | Which,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Every signature's names of inputs and of outputs. Raises ClientError."""
        which = _which(model, version, label)
        return self._call(which, None, timeout, lambda left: self.transport.signatures(which, left))

    def _call(
        self,
        which: Which,
        signature: str | None,
        timeout: float | None,
        call: Callable[[float], Found],
    ) -> Found:
        until = time.monotonic() + (timeout or self.timeout)
        for attempt in range(1, self.attempts + 1):
            try:
                return call(max(until - time.monotonic(), 0.001))
            except Failed as failed:
                pause = random.uniform(0.5, 1) * self.pause * 2 ** (attempt - 1)
                again = failed.code == "UNAVAILABLE" and attempt < self.attempts
                if not again or time.monotonic() + pause >= until:
                    raise self._explained(which, signature, failed, attempt) from failed
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _explained(
        self, which: Which, signature: str | None, failed: Failed, attempts: int
    ) -> ClientError:
        """The error by its name; a refusal is looked into, because a server tells a missing thing
        in many ways.
        """
        message = str(failed) or failed.code
        if failed.code in _REFUSED:
            return self._missing(which, signature) or RequestRefused(f"{which}: {message}")
        if failed.code == "UNAVAILABLE":
            return ServerUnavailable(
                f"{self.target} is unavailable after {attempts} attempts: {message}"
            )
        return _KINDS.get(failed.code, ServerFailed)(f"{which}: {message} ({failed.code})")

    def _missing(self, which: Which, signature: str | None) -> ClientError | None:
        try:
            states = self.transport.states(Which(which.model), self.timeout)
        except Failed as failed:
            return (
                ModelMissing(f"{self.target} has no model {which.model!r}.")
                if failed.code in _REFUSED
                else None
            )
        available = [
            str(number) for number, state in sorted(states.items()) if state == "AVAILABLE"
        ]
        try:
            signatures = self.transport.signatures(which, self.timeout)
        except Failed as failed:
            if failed.code not in _REFUSED:
                return None
            return VersionMissing(
                f"{self.target} does not serve {which}; it has {', '.join(available) or 'none'}."
            )
        if signature is not None and signature not in signatures:
            return SignatureMissing(
                f"{which} has no signature {signature!r}.{nearest(signature, signatures)}"
            )
        return None


def _record(app: App, value: str | Mapping[str, Any]) -> Record:
    read = record_from_text if isinstance(value, str) else record_from_json
    return read(app.serving.fields, value)


def _typed(app: App, columns: Mapping[str, np.ndarray], row: int, model: str | Which) -> Any:
    """A row of outputs as the application's answer."""
    names = app.serving.answer.__dataclass_fields__
    if set(names) - columns.keys():
        outputs = ", ".join(sorted(columns))
        raise ServerFailed(f"{model} gives {outputs}: it is no model of {app.name}.")
    return app.serving.answer(**{name: _value(columns[name][row]) for name in names})


def _which(model: str | Which, version: int | None, label: str | None) -> Which:
    return model if isinstance(model, Which) else Which(model, version, label)


def _open(target: str, options: Mapping[str, Any]) -> Transport:
    try:
        if target.startswith(("http://", "https://")):
            from rnnsuite.client.rest import Rest

            return Rest(target, **options)
        from rnnsuite.client.grpc import Grpc

        return Grpc(target.removeprefix("grpc://"), **options)
    except ModuleNotFoundError as error:
        raise ClientError(
            f"There is no {error.name} here: pip install 'rnnsuite[client]'."
        ) from error


def _column(value: Any) -> np.ndarray:
    """An array that both ways can send: doubles and longs of Python's own become the models' floats
    and ints.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind != "U":
        return value
    array = np.array(value)
    if array.dtype.kind in "USO":
        return np.array(_bytes(value), object)
    narrow = {"f": np.float32, "i": np.int32}.get(array.dtype.kind)
    return array.astype(narrow) if narrow else array


def _bytes(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return [_bytes(item) for item in value]
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return tuple(_value(item) for item in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value.item() if isinstance(value, np.generic) else value
