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
from rnnsuite.errors import nearest

DEFAULT = "serving_default"
Found = TypeVar("Found")
_REFUSED = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "NOT_FOUND")
_KINDS = {"UNAVAILABLE": ServerUnavailable, "DEADLINE_EXCEEDED": TimedOut}


class Client:
    """Asks the models of one server; safe to use from several threads.

    target: `http://host:8501` or `https://...` for REST, `host:8500` for gRPC, or a transport.
    timeout: seconds for an answer, all attempts and pauses included. attempts: how often a
    request is sent where the server says UNAVAILABLE (no server yet, none any more, or too
    busy); nothing else is tried again. pause: seconds before the second attempt, doubled
    before every further one and drawn at random up to that. options: of the transport, such as headers
    (REST), credentials and metadata (gRPC).

    Raises ValueError on numbers that make no sense.
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
        self.timeout, self.attempts, self.pause = timeout, attempts, pause
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
        """The outputs of a signature, one row a row of the inputs, texts as bytes. Raises ClientError.

        inputs: arrays, or lists of numbers, of str or of bytes, one column each.
        """
        which = _which(model, version, label)
        columns = {name: _column(value) for name, value in inputs.items()}
        return self._call(
            which, signature, timeout, lambda left: self.transport.predict(which, signature, columns, left)
        )

    def answers(
        self,
        app: App,
        values: Sequence[str],
        *,
        model: str | Which | None = None,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """An application's answers (`app.answer`) to what a person typed: texts, or paths to files.

        model: the name that it is served by, where it is not the application's. Raises
        UserError where a file cannot be read, and ClientError.
        """
        records = app.requests(values)
        if not records:
            return []
        columns = {name: [record[name] for record in records] for name in records[0]}
        found = self.predict(model or app.name, columns, version=version, label=label, timeout=timeout)
        names = app.answer.__dataclass_fields__
        if set(names) - found.keys():
            raise ServerFailed(f"{model or app.name} gives {', '.join(sorted(found))}: it is no model of {app.name}.")
        return [app.answer(**{name: _value(found[name][row]) for name in names}) for row in range(len(records))]

    def versions(self, model: str, timeout: float | None = None) -> dict[int, str]:
        """Every version of a model and its state, such as AVAILABLE. Raises ClientError."""
        which = Which(model)
        return self._call(which, None, timeout, lambda left: self.transport.states(which, left))

    def signatures(
        self, model: str | Which, *, version: int | None = None, label: str | None = None, timeout: float | None = None
    ) -> dict[str, tuple[list[str], list[str]]]:
        """Every signature's names of inputs and of outputs. Raises ClientError."""
        which = _which(model, version, label)
        return self._call(which, None, timeout, lambda left: self.transport.signatures(which, left))

    def _call(
        self, which: Which, signature: str | None, timeout: float | None, call: Callable[[float], Found]
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

    def _explained(self, which: Which, signature: str | None, failed: Failed, attempts: int) -> ClientError:
        """The error by its name; a refusal is looked into, because a server tells a missing thing in many ways."""
        said = str(failed) or failed.code
        if failed.code in _REFUSED:
            return self._missing(which, signature) or RequestRefused(f"{which}: {said}")
        if failed.code == "UNAVAILABLE":
            return ServerUnavailable(f"{self.target} is unavailable after {attempts} attempts: {said}")
        return _KINDS.get(failed.code, ServerFailed)(f"{which}: {said} ({failed.code})")

    def _missing(self, which: Which, signature: str | None) -> ClientError | None:
        try:
            states = self.transport.states(Which(which.model), self.timeout)
        except Failed as failed:
            return ModelMissing(f"{self.target} has no model {which.model!r}.") if failed.code in _REFUSED else None
        there = [str(number) for number, state in sorted(states.items()) if state == "AVAILABLE"]
        try:
            known = self.transport.signatures(which, self.timeout)
        except Failed as failed:
            if failed.code not in _REFUSED:
                return None
            return VersionMissing(f"{self.target} does not serve {which}; it has {', '.join(there) or 'none'}.")
        if signature is not None and signature not in known:
            return SignatureMissing(f"{which} has no signature {signature!r}.{nearest(signature, known)}")
        return None


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
        raise ClientError(f"There is no {error.name} here: pip install 'rnnsuite[client]'.") from error


def _column(value: Any) -> np.ndarray:
    """An array that both ways can send: doubles and longs of Python's own become the models' floats and ints."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "U":
        return value
    found = np.array(value)
    if found.dtype.kind in "USO":
        return np.array(_bytes(value), object)
    narrow = {"f": np.float32, "i": np.int32}.get(found.dtype.kind)
    return found.astype(narrow) if narrow else found


def _bytes(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return [_bytes(each) for each in value]
    return value.encode("utf-8") if isinstance(value, str) else bytes(value)


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return tuple(_value(each) for each in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value.item() if isinstance(value, np.generic) else value
