"""TF Serving's REST interface, by httpx, in columns."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np

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


class Rest:
    """url: of the server, such as http://localhost:8501. headers: sent with every request."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None):
        self.http = httpx.Client(base_url=url, headers=dict(headers or {}))
        self.definitions: dict[Which, dict[str, Any]] = {}

    def predict(
        self, which: Which, signature: str, inputs: Arrays, timeout: float
    ) -> dict[str, np.ndarray]:
        content = {
            "signature_name": signature,
            "inputs": {name: _plain(value) for name, value in inputs.items()},
        }
        content_of_response = self._ask(
            "POST", f"{_path(which)}:predict", timeout, json.dumps(content).encode()
        )
        if not isinstance(content_of_response, dict) or "outputs" not in content_of_response:
            raise Failed("INTERNAL", f"no answer of a model: {str(content_of_response)[:200]}")
        types = self._outputs(which, signature, timeout)
        outputs = content_of_response["outputs"]
        outputs = (
            outputs
            if isinstance(outputs, dict) and len(types) > 1
            else {next(iter(types)): outputs}
        )
        return {name: _array(value, types[name]) for name, value in outputs.items()}

    def states(self, which: Which, timeout: float) -> dict[int, str]:
        response = self._ask("GET", _path(which), timeout)
        return {
            int(status["version"]): status["state"] for status in response["model_version_status"]
        }

    def signatures(self, which: Which, timeout: float) -> dict[str, tuple[list[str], list[str]]]:
        definitions = self._definitions(which, timeout)
        return {
            name: (sorted(definition["inputs"]), sorted(definition["outputs"]))
            for name, definition in definitions.items()
        }

    def close(self) -> None:
        self.http.close()

    def _outputs(self, which: Which, signature: str, timeout: float) -> dict[str, str]:
        """Names and types of the outputs, which JSON does not tell. A signature's do not change
        within a version.
        """
        if signature not in self.definitions.get(which, {}):
            self.definitions[which] = self._definitions(which, timeout)
        return {
            name: _TYPES[info["dtype"]]
            for name, info in self.definitions[which][signature]["outputs"].items()
        }

    def _definitions(self, which: Which, timeout: float) -> dict[str, Any]:
        return self._ask("GET", f"{_path(which)}/metadata", timeout)["metadata"]["signature_def"][
            "signature_def"
        ]

    def _ask(self, method: str, path: str, timeout: float, content: bytes | None = None) -> Any:
        try:
            response = self.http.request(method, path, content=content, timeout=timeout)
        except httpx.TimeoutException as error:
            raise Failed("DEADLINE_EXCEEDED", "no answer in time") from error
        except httpx.ConnectError as error:
            raise Failed(
                "UNAVAILABLE", f"cannot connect to {self.http.base_url}: {error}"
            ) from error
        except httpx.TransportError as error:
            raise Failed("UNAVAILABLE", f"the connection broke: {error}") from error
        try:
            value = response.json()
        except ValueError as error:
            raise Failed(
                _code(response), f"no JSON from {self.http.base_url}: {response.text[:100]!r}"
            ) from error
        if response.is_success:
            return value
        raise Failed(
            _code(response), str(value.get("error", value) if isinstance(value, dict) else value)
        )


def _code(response: httpx.Response) -> str:
    return _CODES.get(response.status_code, "INTERNAL")


def _path(which: Which) -> str:
    version = f"/versions/{which.version}" if which.version is not None else ""
    return f"/v1/models/{which.model}" + (
        f"/labels/{which.label}" if which.label is not None else version
    )


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
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else str(value).encode()


def _array(value: Any, kind: str) -> np.ndarray:
    if kind != "object":
        return np.array(value, kind)
    array = np.array(_decoded(value), object)
    return array
