"""A search by several processes: a chief that decides which settings are tried, and workers that try them.

keras-tuner's own distributed mode, by its messages, with what it lacks: a worker that has gone
is noticed and its trial given to another; a chief that comes back knows who is at work on what.
All of them see the same folder.
"""

import concurrent.futures
import contextlib
import logging
import os
import pathlib
import re
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import keras_tuner
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from rnnsuite.errors import UserError
from rnnsuite.files import only_one

log = logging.getLogger(__name__)
BEAT = 2.0  # seconds between a worker's signs of life
LOST = 30.0  # seconds without one, after which its trial is given to another


def _signs(folder: pathlib.Path) -> pathlib.Path:
    return folder / "workers"


def address(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises UserError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UserError(f"{text}: write HOST:PORT, such as 10.0.0.1:9000; a chief may listen on 0.0.0.0:9000.")
    return host, int(port)


class _Servicer(OracleServicer):
    """Keeps a failure of the search for the chief; told(trial) hears of every trial that has ended."""

    def __init__(self, oracle, told: Callable):
        super().__init__(oracle)
        self.told, self.failure = told, None

    def EndTrial(self, request, context):
        try:
            response = super().EndTrial(request, context)
        except RuntimeError as error:  # too many failures in a row
            self.failure = str(error).strip().splitlines()[-1]
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.failure)
        self.told(self.oracle.trials[request.trial.trial_id])
        return response


def lead(oracle: keras_tuner.Oracle, folder: pathlib.Path, where: str, told: Callable, lost: float = LOST) -> None:
    """Gives out trials at `where` until all are done. Raises UserError where it cannot listen, or too many fail."""
    host, port = address(where)
    oracle.verbose = 0
    # One thread for everything that touches the oracle, so that nothing has to be locked.
    one = concurrent.futures.ThreadPoolExecutor(1)
    server, servicer = grpc.server(one), _Servicer(oracle, told)
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
    try:
        if not server.add_insecure_port(f"{host}:{port}"):
            raise RuntimeError("port refused")
    except RuntimeError as error:
        raise UserError(f"Cannot listen on {where}: is the port taken?") from error
    server.start()
    log.info("Giving out trials at %s.", where)
    watch = _Watch(folder, lost)
    while not servicer.failure and not one.submit(_over, oracle, servicer).result():
        time.sleep(0.5)
        for name in watch.gone():
            one.submit(_release, oracle, name).result()
    server.stop(grace=2).wait()
    one.shutdown()
    if servicer.failure:
        raise UserError(f"The search has ended: {servicer.failure}")


def _over(oracle: keras_tuner.Oracle, servicer: _Servicer) -> bool:
    return servicer.stop_triggered and not oracle.ongoing_trials and not oracle.tuner_ids


def _release(oracle: keras_tuner.Oracle, name: str) -> None:
    oracle.tuner_ids.discard(name)
    trial = oracle.ongoing_trials.pop(name, None)
    if trial is not None and trial.status == "RUNNING":
        log.warning("Worker %s has gone; trial %s goes to another.", name, trial.trial_id)
        oracle._retry_queue.append(trial.trial_id)
        oracle.save()


class _Watch:
    """Which workers have given no sign of life for `lost` seconds, by this machine's clock alone."""

    def __init__(self, folder: pathlib.Path, lost: float):
        self.folder, self.lost = _signs(folder), lost
        self.seen: dict[str, tuple[float, float]] = {}

    def gone(self) -> list[str]:
        now, found = time.monotonic(), []
        for path in self.folder.glob("*.alive") if self.folder.is_dir() else ():
            with contextlib.suppress(OSError):
                sign = path.stat().st_mtime
                if self.seen.get(path.stem, (None,))[0] != sign:
                    self.seen[path.stem] = sign, now
                elif now - self.seen[path.stem][1] > self.lost:
                    found.append(path.stem)
                    path.unlink(missing_ok=True)
                    del self.seen[path.stem]
        return found


class Patient:
    """A worker's calls to the chief, each repeated while there is none: it may be killed in the midst of one.

    keras-tuner waits for a chief before a call, but takes one that breaks off for a failure of the trial.
    """

    def __init__(self, stub: object, seconds: float = 3600.0):
        self._stub, self._seconds = stub, seconds

    def __getattr__(self, name: str) -> Callable:
        call = getattr(self._stub, name)

        def asked(request, **options):
            until = time.monotonic() + self._seconds
            while True:
                try:
                    return call(request, **options)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > until:
                        raise
                    time.sleep(0.5)

        return asked


@contextlib.contextmanager
def working(folder: pathlib.Path, where: str, name: str) -> Iterator[None]:
    """Within, keras-tuner's tuners ask the chief at `where`, and this worker gives signs of life under `name`.

    Raises UserError where another worker has that name, or it cannot be one.
    """
    host, port = address(where)
    if not re.fullmatch(r"[\w.-]+", name) or "chief" in name:  # which is keras-tuner's word for the chief
        raise UserError(f"--name {name}: letters, digits, points and hyphens, and not the word chief.")
    signs, stop = _signs(folder) / f"{name}.alive", threading.Event()
    with only_one(signs.with_suffix(".lock"), f"A worker called {name} is at work already: give this one a --name."):
        settings = {"ORACLE_IP": host, "ORACLE_PORT": str(port), "TUNER_ID": name}
        os.environ.update({f"KERASTUNER_{key}": value for key, value in settings.items()})

        def beat():
            while not stop.is_set():
                with contextlib.suppress(OSError):  # a disk that is away for a moment
                    signs.touch()
                stop.wait(BEAT)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        except grpc.RpcError as error:
            raise UserError(f"The chief at {where} has no trial for this worker: {error.details()}") from error
        finally:
            stop.set()
            thread.join()
            for key in settings:
                os.environ.pop(f"KERASTUNER_{key}", None)
