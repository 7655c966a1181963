"""Text that comes as it is made: a line of JSON for each piece, over the signatures begin and
proceed.

begin takes a request and gives states; proceed takes these and gives a piece of `text`, whether it
`is_last`, and the next states under the same names.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import numpy as np

from rnnsuite.server import asgi, rest
from rnnsuite.server.library import Loaded
from rnnsuite.server.status import RequestError, invalid

BEGIN = "begin"
PROCEED = "proceed"
LENGTH = "max_length"
USUAL_LENGTH = 100
LONGEST = 10_000
"""Pieces that one request may ask for."""
KIND = "application/x-ndjson"
BODY = 2 * 2**20
"""Bytes of a request at most, which is read while nobody else is served."""


async def answer(
    loaded: Loaded, body: bytes, receive: Callable, send: Callable, timeout: float
) -> None:
    """Answers a request piece by piece.

    Args:
        loaded: the model.
        body: of the request: `instances` with one row for begin, and `options`, which may hold
            `max_length` and the optional inputs of begin and proceed.
        receive, send: ASGI's.
        timeout: time for a piece (s).

    Raises:
        RequestError: for a model or a request that cannot be answered so, before anything is sent.
    """
    states, options, length = _read(loaded, body)
    pieces = _pieces(loaded, states, options, length, timeout)
    first = await anext(pieces, None)
    headers = [(b"content-type", KIND.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(asgi.disconnected(receive))
    try:
        while first is not None and not gone.done():
            await _line(send, {"text": first})
            first = await anext(pieces, None)
        await _line(send, {"done": True}, more=False)
    except RequestError as error:
        await _line(send, {"error": str(error)}, more=False)
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone


def _read(loaded: Loaded, body: bytes) -> tuple[dict[str, Any], dict[str, Any], int]:
    """What begin is given, the options of proceed, and how many pieces there may be."""
    signatures = loaded.servable.signatures
    if BEGIN not in signatures or PROCEED not in signatures:
        raise invalid(f"{loaded.servable.name} does not write piece by piece; ask for predict")
    request = rest.read(body)
    options = request.get("options", {})
    if not isinstance(options, dict):
        raise invalid("'options' must be a JSON object")
    inputs, _ = rest.inputs({"instances": request.get("instances")}, signatures[BEGIN])
    if any(value.shape[0] != 1 for value in inputs.values() if value.ndim):
        raise invalid("Text is written for one row of 'instances' at a time")
    length = options.pop(LENGTH, USUAL_LENGTH)
    if type(length) is not int or not 0 <= length <= LONGEST:
        raise invalid(f"{LENGTH} must be from 0 to {LONGEST}")
    chosen: dict[str, dict[str, Any]] = {BEGIN: inputs, PROCEED: {}}
    for name, value in options.items():
        owner = next((key for key in chosen if name in signatures[key].defaults), None)
        if owner is None:
            raise invalid(f"{str(name)[:100]!r} is no option")
        chosen[owner][name] = rest.array(name, value, signatures[owner].inputs[name])
    return chosen[BEGIN], chosen[PROCEED], length


async def _pieces(
    loaded: Loaded, inputs: Mapping, options: Mapping, length: int, timeout: float
) -> AsyncIterator[str]:
    states = await _ask(loaded, BEGIN, inputs, timeout)
    for _ in range(length):
        outputs = await _ask(loaded, PROCEED, {**states, **options}, timeout)
        if outputs["is_last"][0]:
            return
        states = {name: outputs[name] for name in states}
        yield outputs["text"][0].decode("utf-8", errors="replace")


async def _ask(loaded: Loaded, name: str, inputs: Mapping, timeout: float) -> dict[str, np.ndarray]:
    try:
        return await asyncio.wait_for(loaded.about[name](inputs, 1), timeout)
    except asyncio.TimeoutError as error:
        raise RequestError("DEADLINE_EXCEEDED", f"No piece within {timeout:g} s") from error


async def _line(send: Callable, value: Mapping[str, Any], more: bool = True) -> None:
    body = rest.dump(value) + b"\n"
    await send({"type": "http.response.body", "body": body, "more_body": more})
