"""ASGI's messages: a request's body, an asker who goes away, the start and end of a service."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from rnnsuite.server.status import RequestError


class ClientDisconnected(Exception):
    """The asker has closed the connection."""


PATIENCE = 0.05
"""Seconds before somebody who waits for an answer is watched: most have theirs by then."""


async def read_body(receive: Callable, largest: int) -> bytes:
    """A request's body of at most so many bytes; that it comes in time is the connection's care."""
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise RequestError("TOO_LARGE", f"Request body is larger than {largest} bytes")
        if not message.get("more_body"):
            return b"".join(parts)


async def disconnected(receive: Callable) -> None:
    """Returns when the asker has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def awaited(answer: asyncio.Future, receive: Callable, timeout: float) -> Any:
    """An answer, as long as somebody waits for it: what nobody waits for is not begun.

    Args:
        answer: what is awaited; cancelled where it comes too late.
        receive: ASGI's.
        timeout: time for it (s).

    Returns:
        The answer.

    Raises:
        ClientDisconnected: where the asker has gone.
        RequestError: after the time.
    """
    await _done(answer, min(PATIENCE, timeout))
    if answer.done():
        return answer.result()
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        done, _ = await asyncio.wait(
            {answer, gone}, timeout=timeout - PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        if answer in done:
            return answer.result()
    finally:
        answer.cancel()
        gone.cancel()
    if gone in done:
        raise ClientDisconnected
    raise RequestError("DEADLINE_EXCEEDED", f"No answer within {timeout:g} s")


async def _done(answer: asyncio.Future, seconds: float) -> None:
    """Returns when there is an answer, or after so long: asyncio.wait of one, for less."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(*_: object) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    answer.add_done_callback(wake)
    try:
        await waiter
    except BaseException:  # the asker has gone in another way: so has what was asked
        answer.cancel()
        raise
    finally:
        timer.cancel()
        answer.remove_done_callback(wake)


async def lifespan(running: Callable, receive: Callable, send: Callable) -> None:
    """ASGI's messages of starting and stopping, around `running()`."""
    await receive()
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(running())
        except BaseException:
            await send({"type": "lifespan.startup.failed"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
