"""TF Serving's REST interface, by httpcore, in columns."""

import base64
import contextlib
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rnnsuite.client.connection import Connection
from rnnsuite.client.transport import Arrays, Failed, Which

_CODES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPES = {
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_HALF": "float16",
    "DT_INT8": "int8",
    "DT_UINT8": "uint8",
    "DT_INT16": "int16",
    "DT_UINT16": "uint16",
    "DT_INT32": "int32",
    "DT_UINT32": "uint32",
    "DT_INT64": "int64",
    "DT_UINT64": "uint64",
    "DT_BOOL": "bool",
    "DT_STRING": "object",
}
_LONGEST = 2000
"""Characters of a server's reason that are told on."""
Definition = tuple[list[str], dict[str, str]]
"""A signature's inputs, and its outputs with their types."""


class Rest:
    """url: of the server, such as http://localhost:8501. headers: sent with every request."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None):
        self.connection = Connection(url, headers)
        self.definitions: dict[Which, dict[str, Definition]] = {}

    def predict(
        self, which: Which, signature: str, inputs: Arrays, timeout: float
    ) -> dict[str, np.ndarray]:
        content = {
            "signature_name": signature,
            "inputs": {name: _plain(value) for name, value in inputs.items()},
        }
        path = f"{_path(which)}:predict"
        answer = self._ask("POST", path, timeout, json.dumps(content).encode())
        types = self._outputs(which, signature, timeout) if isinstance(answer, dict) else {}
        with _understood("no answer of a model", answer):
            outputs = answer["outputs"]
            if len(types) == 1:
                outputs = {next(iter(types)): outputs}
            return {name: _array(outputs[name], kind) for name, kind in types.items()}

    def states(self, which: Which, timeout: float) -> dict[int, str]:
        answer = self._ask("GET", _path(which), timeout)
        with _understood("no states of a model", answer):
            return {
                int(status["version"]): str(status["state"])
                for status in answer["model_version_status"]
            }

    def signatures(self, which: Which, timeout: float) -> dict[str, tuple[list[str], list[str]]]:
        definitions = self._definitions(which, timeout)
        return {
            name: (sorted(inputs), sorted(outputs))
            for name, (inputs, outputs) in definitions.items()
        }

    def close(self) -> None:
        self.connection.close()

    def _outputs(self, which: Which, signature: str, timeout: float) -> dict[str, str]:
        """Names and types of the outputs, which JSON does not tell. A signature's do not change
        within a version.
        """
        if signature not in self.definitions.get(which, {}):
            self.definitions[which] = self._definitions(which, timeout)
        with _understood("no such signature", signature):
            return self.definitions[which][signature][1]

    def _definitions(self, which: Which, timeout: float) -> dict[str, Definition]:
        answer = self._ask("GET", f"{_path(which)}/metadata", timeout)
        with _understood("no metadata of a model", answer):
            definitions = answer["metadata"]["signature_def"]["signature_def"]
            return {
                str(name): (
                    list(map(str, definition["inputs"])),
                    {
                        str(output): _TYPES[info["dtype"]]
                        for output, info in definition["outputs"].items()
                    },
                )
                for name, definition in definitions.items()
            }

    def _ask(self, method: str, path: str, timeout: float, content: bytes | None = None) -> Any:
        status, body = self.connection.ask(method, path, timeout, content)
        code = _CODES.get(status, "INTERNAL")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            start = body[:100].decode(errors="replace")
            raise Failed(code, f"no JSON from {self.connection.url}: {start!r}") from error
        if 200 <= status < 300:
            return value
        reason = value.get("error", value) if isinstance(value, dict) else value
        raise Failed(code, str(reason)[:_LONGEST])


@contextlib.contextmanager
def _understood(what: str, answer: Any) -> Iterator[None]:
    """Within, an answer of another form than a server of models gives is a failure of the server.

    Raises:
        Failed: that says `what` it is.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration, OverflowError) as error:
        raise Failed("INTERNAL", f"{what}: {str(answer)[:200]}") from error


def _path(which: Which) -> str:
    version = f"/versions/{which.version}" if which.version is not None else ""
    label = f"/labels/{_quoted(which.label)}" if which.label is not None else version
    return f"/v1/models/{_quoted(which.model)}{label}"


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _plain(value: np.ndarray) -> Any:
    plain = value.tolist()
    return _encoded(plain) if value.dtype.kind in "OSU" else plain


def _encoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return (
        base64.b64decode(value["b64"], validate=True)
        if isinstance(value, dict)
        else str(value).encode()
    )


def _array(value: Any, kind: str) -> np.ndarray:
    if kind != "object":
        return np.array(value, kind)
    array = np.array(_decoded(value), object)
    return array
