"""TF Serving's JSON: requests to arrays and arrays to answers, in rows (`instances`) and columns
(`inputs`).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from rnnsuite.server.signatures import Field, Signature
from rnnsuite.server.status import RequestError, invalid

DEFAULT = "serving_default"


def read(body: bytes) -> dict[str, Any]:
    """A request's JSON object. Raises RequestError."""
    try:
        value = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise invalid(f"Request body must be a JSON object, not {_kind(value)}")
    return value


def signature_name(request: Mapping[str, Any]) -> str:
    name = request.get("signature_name", DEFAULT)
    if not isinstance(name, str):
        raise invalid("'signature_name' key must be a string value.")
    return name or DEFAULT


def inputs(request: Mapping[str, Any], signature: Signature) -> tuple[dict[str, np.ndarray], bool]:
    """A predict request's arrays by input, and whether it came in rows. Raises RequestError."""
    if ("instances" in request) == ("inputs" in request):
        raise invalid("Request must have either 'instances' (rows) or 'inputs' (columns)")
    rows = "instances" in request
    columns = (
        _of_rows(request["instances"], signature)
        if rows
        else _columns(request["inputs"], signature)
    )
    unknown = sorted(columns.keys() - signature.inputs.keys())
    if unknown:
        raise invalid(
            f"Input {unknown[0][:100]!r} is not in the signature. Inputs expected: "
            f"{_names(signature)}"
        )
    missing = sorted(signature.inputs.keys() - columns.keys() - signature.defaults.keys())
    if missing:
        raise invalid(
            f"Missing named input: {', '.join(missing)}. Inputs expected: {_names(signature)}"
        )
    arrays = {name: array(name, value, signature.inputs[name]) for name, value in columns.items()}
    sizes = {name: value.shape[0] for name, value in arrays.items() if value.ndim}
    if len(set(sizes.values())) > 1:
        raise invalid(f"Inputs have different numbers of rows: {sizes}")
    if 0 in sizes.values():
        raise invalid("Request has no rows")
    return arrays, rows


def _of_rows(instances: Any, signature: Signature) -> dict[str, list]:
    if not isinstance(instances, list) or not instances:
        raise invalid(
            f"Expecting 'instances' value to be a list with one value at least, not "
            f"{_kind(instances)}"
        )
    if not _named(instances[0]):
        return {_single(signature): instances}
    names = instances[0].keys()
    for number, instance in enumerate(instances):
        if not _named(instance) or instance.keys() != names:
            raise invalid(
                f"Element {number} of 'instances' does not have the names of the first one"
            )
    return {name: [instance[name] for instance in instances] for name in names}


def _columns(value: Any, signature: Signature) -> dict[str, Any]:
    return value if _named(value) else {_single(signature): value}


def _named(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() != {"b64"}


def _single(signature: Signature) -> str:
    needed = [name for name in signature.inputs if name not in signature.defaults]
    if len(needed) != 1:
        raise invalid(
            f"Values must be objects with names, as there are several inputs: {_names(signature)}"
        )
    return needed[0]


def _names(signature: Signature) -> str:
    return "{" + ", ".join(signature.inputs) + "}"


def _kind(value: Any) -> str:
    kinds = {dict: "Object", list: "Array", str: "String", bool: "Boolean", type(None): "Null"}
    return kinds.get(type(value), "Number")


def array(name: str, value: Any, field: Field) -> np.ndarray:
    """A JSON value as an array of the field's type and shape. Raises RequestError."""
    try:
        converted = (
            _strings(value, len(field.shape)) if field.dtype == "string" else _numbers(value, field)
        )
    except RequestError as error:
        raise invalid(f"Failed to process input {name!r}: {error}") from error
    fits = converted.ndim == len(field.shape) and all(
        size in (None, actual) for size, actual in zip(field.shape, converted.shape, strict=True)
    )
    if not fits:
        wanted = str(list(field.shape)).replace("None", "?")
        raise invalid(f"Input {name!r} must have shape {wanted}, not {list(converted.shape)}")
    return converted


def _strings(value: Any, rank: int) -> np.ndarray:
    if not rank:
        return np.array(_bytes(value), object)
    if not isinstance(value, list):
        raise invalid(
            f"JSON value {_shown(value)} of type {_kind(value)} is not of expected type: list"
        )
    if rank == 1:
        return np.array([_bytes(item) for item in value], object)
    rows = [_strings(item, rank - 1) for item in value]
    if len({row.shape for row in rows}) > 1:
        raise invalid("lists of different lengths")
    return np.stack(rows) if rows else np.zeros([0] * rank, object)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise invalid("half of a surrogate pair") from error
    if isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid("Unable to base64 decode") from error
    raise invalid(
        f"JSON value {_shown(value)} of type {_kind(value)} is not of expected type: string"
    )


def _numbers(value: Any, field: Field) -> np.ndarray:
    wanted = np.dtype(getattr(ml_dtypes, field.dtype, field.dtype))
    kinds = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}[wanted.kind]
    try:
        parsed = np.array(value)
    except (ValueError, OverflowError) as error:
        raise invalid("lists of different lengths, or a number out of range") from error
    if parsed.dtype.kind not in kinds and parsed.size:
        raise invalid(f"JSON value {_shown(value)} is not of expected type: {field.dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        cast = parsed.astype(wanted)
        lost = (cast != parsed) if "f" not in kinds else (np.isinf(cast) & ~np.isinf(parsed))
    if np.any(lost):
        raise invalid(
            f"Cannot convert JSON value {_shown(value)} to {field.dtype} without loss of precision."
        )
    return cast


def _shown(value: Any) -> str:
    return repr(value)[:60]


def answer(outputs: Mapping[str, np.ndarray], rows: bool) -> bytes:
    """The response to a predict request, NaN and infinities as TF Serving writes them."""
    columns = {name: _plain(name, values) for name, values in outputs.items()}
    single = next(iter(columns.values())) if len(columns) == 1 else None
    if not rows:
        return dump({"outputs": columns if single is None else single})
    if single is None:
        single = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return dump({"predictions": single})


def _plain(name: str, values: np.ndarray) -> Any:
    if values.dtype.kind != "O":
        return values.tolist()
    encode = (
        _b64 if name.endswith("_bytes") else lambda value: value.decode("utf-8", errors="replace")
    )
    return _each(values.tolist(), encode)


def _each(value: Any, change: Any) -> Any:
    return [_each(item, change) for item in value] if isinstance(value, list) else change(value)


def _b64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def dump(value: Any) -> bytes:
    """A value as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def error(message: str) -> bytes:
    return dump({"error": message.encode("utf-8", errors="replace").decode("utf-8")})
