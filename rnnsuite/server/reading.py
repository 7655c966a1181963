"""Requests to arrays: small ones at once, large ones by a process of its own.

Python holds its lock while it parses JSON: 30 MB would hold up everybody else for half a second.
"""

import asyncio
import concurrent.futures
import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from rnnsuite.server import rest
from rnnsuite.server.cost import Limits
from rnnsuite.server.signatures import Signature
from rnnsuite.server.status import RequestError, invalid

LARGE = 256 * 1024
"""Bytes of JSON from which on the other process reads."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        signature: its name.
        inputs: arrays by name, as many as the limits allow.
        is_rows: whether it came in rows, and is answered so.
        count: of its rows.
    """

    signature: str
    inputs: Mapping[str, np.ndarray]
    is_rows: bool
    count: int


def read(body: bytes, signatures: Mapping[str, Signature], limits: Limits) -> Request:
    """Reads a predict request.

    Args:
        body: its JSON.
        signatures: those that may be asked for.
        limits: of one request.

    Returns:
        The request.

    Raises:
        RequestError: for one that is wrong or too large.
    """
    values = rest.read(body)
    name = rest.signature_name(values)
    if name not in signatures:
        raise invalid(f'Serving signature name: "{name[:100]}" not found in signature def')
    inputs, is_rows = rest.inputs(values, signatures[name])
    return Request(name, inputs, is_rows, limits.check(inputs))


class Reader:
    """Reads requests without holding up others; it has a process as soon as it needs one.

    Args:
        limits: of one request.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self._pool: concurrent.futures.Executor | None = None

    async def __call__(self, body: bytes, signatures: Mapping[str, Signature]) -> Request:
        """See `read`. Raises RequestError, also where the process is lost."""
        if len(body) <= LARGE:
            return read(body, signatures, self.limits)
        if self._pool is None:
            self._pool = _process()
        pool = self._pool
        running = asyncio.get_running_loop()
        try:
            return await running.run_in_executor(pool, read, body, signatures, self.limits)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = None
            message = "The process that reads large requests was lost; try again"
            raise RequestError("UNAVAILABLE", message) from error

    def close(self) -> None:
        """Ends the process."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)


def _process() -> concurrent.futures.Executor:
    return concurrent.futures.ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
    )


def _begin(parent: int) -> None:
    """The server ends this process, whatever signals come, and it does not outlive the server."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
