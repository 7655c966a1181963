"""A search by several processes: a chief that gives trials out, and workers that run them.

keras-tuner's own distributed mode, by its messages, with what it lacks: a worker that has gone is
noticed and its trial given to another; a chief that comes back knows who is at work on what. All
of them see the same folder.
"""

import concurrent.futures
import contextlib
import logging
import pathlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import keras_tuner

from rnnsuite.core.errors import UserError
from rnnsuite.core.files import exclusive
from rnnsuite.pipeline.tune.oracle import (
    Servicer,
    add_to_server,
    clear_environment,
    release_trial,
    set_environment,
)

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 2.0
"""Between a worker's signs of life."""
WORKER_TIMEOUT_SECONDS = 30.0
"""Without a sign of life, after which a worker's trial is given to another."""
PATIENCE_SECONDS = 3600.0
"""For which a worker waits for a chief that is away."""


def parse_address(text: str) -> tuple[str, int]:
    """The host and port of HOST:PORT. Raises UserError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UserError(
            f"{text}: write HOST:PORT, such as 10.0.0.1:9000; a chief may listen on 0.0.0.0:9000."
        )
    return host, int(port)


def serve_trials(
    oracle: keras_tuner.Oracle,
    folder: pathlib.Path,
    address: str,
    on_trial_end: Callable[[Any], None],
    worker_timeout: float = WORKER_TIMEOUT_SECONDS,
) -> None:
    """Gives out trials until all are done.

    Args:
        oracle: what is tried.
        folder: of the search.
        address: HOST:PORT to listen on.
        on_trial_end: called with every trial that has ended.
        worker_timeout: seconds without a sign of life.

    Raises:
        UserError: where it cannot listen, or too many trials fail.
    """
    host, port = parse_address(address)
    oracle.verbose = 0
    # One thread for everything that touches the oracle, so that nothing has to be locked.
    executor = concurrent.futures.ThreadPoolExecutor(1)
    server = grpc.server(executor)
    servicer = Servicer(oracle, on_trial_end)
    add_to_server(servicer, server)
    try:
        if not server.add_insecure_port(f"{host}:{port}"):
            raise RuntimeError("port refused")
    except RuntimeError as error:
        raise UserError(f"Cannot listen on {address}: is the port taken?") from error
    server.start()
    log.info("Giving out trials at %s.", address)
    liveness = _Liveness(folder, worker_timeout)
    while not servicer.failure and not executor.submit(servicer.is_done).result():
        time.sleep(0.5)
        for worker in liveness.lost():
            trial = executor.submit(release_trial, oracle, worker).result()
            if trial is not None:
                log.warning("Worker %s has gone; trial %s goes to another.", worker, trial)
    server.stop(grace=2).wait()
    executor.shutdown()
    if servicer.failure:
        raise UserError(f"The search has ended: {servicer.failure}")


def _heartbeats(folder: pathlib.Path) -> pathlib.Path:
    return folder / "workers"


class _Liveness:
    """Which workers have given no sign of life, by this machine's clock alone."""

    def __init__(self, folder: pathlib.Path, timeout: float):
        self.folder = _heartbeats(folder)
        self.timeout = timeout
        self.last: dict[str, tuple[float, float]] = {}

    def lost(self) -> list[str]:
        now = time.monotonic()
        names = []
        for path in self.folder.glob("*.alive") if self.folder.is_dir() else ():
            with contextlib.suppress(OSError):
                sign = path.stat().st_mtime
                before, since = self.last.get(path.stem, (None, now))
                if before != sign:
                    self.last[path.stem] = (sign, now)
                elif now - since > self.timeout:
                    names.append(path.stem)
                    path.unlink(missing_ok=True)
                    del self.last[path.stem]
        return names


class RetryingStub:
    """Retries a worker's remote calls while the chief is down.

    keras-tuner waits for a chief before a call, but takes one that breaks off for a failure of the
    trial.

    Args:
        stub: keras-tuner's gRPC stub.
        seconds: how long a call is retried.
    """

    def __init__(self, stub: object, seconds: float = PATIENCE_SECONDS):
        self._stub = stub
        self._seconds = seconds

    def __getattr__(self, name: str) -> Callable:
        call = getattr(self._stub, name)

        def retried(request, **options):
            deadline = time.monotonic() + self._seconds
            while True:
                try:
                    return call(request, **options)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                        raise
                    time.sleep(0.5)

        return retried


@contextlib.contextmanager
def worker_session(folder: pathlib.Path, address: str, name: str) -> Iterator[None]:
    """Within, keras-tuner's tuners ask the chief, and this worker gives signs of life.

    Args:
        folder: of the search.
        address: the chief's HOST:PORT.
        name: of this worker.

    Yields:
        None.

    Raises:
        UserError: where another worker has that name, or it cannot be one.
    """
    host, port = parse_address(address)
    if not re.fullmatch(r"[\w.-]+", name) or "chief" in name:  # keras-tuner's word for the chief
        raise UserError(
            f"--name {name}: letters, digits, points and hyphens, and not the word chief."
        )
    sign = _heartbeats(folder) / f"{name}.alive"
    taken = f"A worker called {name} is at work already: give this one a --name."
    with exclusive(sign.with_suffix(".lock"), taken):
        set_environment({"host": host, "port": str(port), "name": name})
        stop = threading.Event()
        thread = threading.Thread(target=_beat, args=(sign, stop), daemon=True)
        thread.start()
        try:
            yield
        except grpc.RpcError as error:
            raise UserError(
                f"The chief at {address} has no trial for this worker: {error.details()}"
            ) from error
        finally:
            stop.set()
            thread.join()
            clear_environment()


def _beat(sign: pathlib.Path, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(OSError):  # a disk that is away for a moment
            sign.touch()
        stop.wait(HEARTBEAT_SECONDS)
