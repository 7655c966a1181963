"""The server: TF Serving's REST addresses, an ASGI application on uvicorn, with limits, metrics and a graceful end."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import functools
import logging
import os
import pathlib
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import uvicorn
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rnnsuite.errors import UserError
from rnnsuite.serve import rest
from rnnsuite.serve.batching import Batcher
from rnnsuite.serve.library import Library, Loaded, Plan
from rnnsuite.serve.metrics import Metrics
from rnnsuite.serve.servable import Servable
from rnnsuite.serve.status import Refused, invalid

log = logging.getLogger(__name__)
METRICS = "/monitoring/prometheus/metrics"
LARGE = 256 * 1024  # bytes of JSON that are read in a thread, so that others need not wait for it
_WHICH = r"/v1/models/([^/:]+)(?:/versions/(\d{1,18})|/labels/([^/:]+))?"
_PREDICT = re.compile(_WHICH + r":(predict|classify|regress)", re.IGNORECASE)
_ABOUT = re.compile(_WHICH + r"(/metadata)?", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """host, port: where to listen; port 0 takes a free one. body: bytes of a request at most. concurrency: requests
    under way at most; more are told to come again. batch: rows that requests may share a run in. timeout: seconds for
    an answer. poll: seconds between looks for new versions. threads: of TensorFlow in one run; a recurrence has
    little to divide among more, and several runs at once fill the cores. grace: seconds that requests have to end
    when the server stops.
    """

    models: pathlib.Path
    names: tuple[str, ...] = ()
    plans: dict[str, Plan] = dataclasses.field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8501
    body: int = 32 * 2**20
    concurrency: int = 256
    batch: int = 64
    timeout: float = 30.0
    poll: float = 1.0
    threads: int = 1
    grace: float = 30.0


class Service:
    """Answers requests from a library of models."""

    def __init__(self, settings: Settings):
        self.settings, self.metrics = settings, Metrics()
        self.parallel, self.under_way = max((os.cpu_count() or 1) // settings.threads, 1), 0
        self.pool = concurrent.futures.ThreadPoolExecutor(self.parallel, "model")
        self.library = Library(settings.models, settings.names, settings.plans, settings.threads, self._batchers)

    def _batchers(self, servable: Servable) -> dict[str, Batcher]:
        most, parallel, noted = self.settings.batch, self.parallel, self.metrics.batch(servable.name)
        return {
            name: Batcher(functools.partial(servable.run, name), self.pool, each.together, most, parallel, noted)
            for name, each in servable.signatures.items()
        }

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.library.start()
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            self.pool.shutdown()
            self.library.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll)
            try:
                await self.library.refresh()
            except Exception:  # a disk that is away for a moment must not end the looking
                log.exception("Looking for new versions failed; trying again.")

    async def __call__(self, scope: Mapping, receive: Callable, send: Callable) -> None:
        """The ASGI application. Models are loaded when it starts."""
        if scope["type"] == "lifespan":
            return await _lifespan(self.running, receive, send)
        if scope["path"] == METRICS and scope["method"] == "GET":
            status, kind, body = 200, self.metrics.kind, self._page()
        else:
            kind, (status, body) = "application/json", await self._answered(scope, receive)
        if status is None:  # nobody is there any more
            return
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(b"retry-after", b"1")] if status == 503 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answered(self, scope: Mapping, receive: Callable) -> tuple[int | None, bytes]:
        """Status and body; no status where the asker has gone."""
        started, code, self.under_way = time.perf_counter(), "INTERNAL", self.under_way + 1
        asked = _PREDICT.fullmatch(scope["path"]) or _ABOUT.fullmatch(scope["path"])
        model = asked[1] if asked and asked[1] in self.library.models else ""
        try:
            if self.under_way > self.settings.concurrency:
                raise Refused("UNAVAILABLE", f"{self.under_way - 1} requests are under way already; try again")
            body = await self._answer(scope["method"], scope["path"], asked, receive)
            code = "OK"
            return 200, body
        except Refused as error:
            code = error.code
            return error.http, rest.error(str(error))
        except _Gone:
            code = "CANCELLED"
            return None, b""
        except Exception:
            log.exception("A request failed.")
            return 500, rest.error("Internal error; the server's log says more.")
        finally:
            self.under_way -= 1
            self.metrics.request(model, code, time.perf_counter() - started)

    async def _answer(self, method: str, path: str, asked: re.Match | None, receive: Callable) -> bytes:
        if asked is None or (asked.re is _PREDICT) != (method == "POST") or method not in ("GET", "HEAD", "POST"):
            raise invalid(f"Malformed request: {method} {path[:200]}")
        name, version, label, what = asked.groups()
        which = name, version and int(version), label
        if asked.re is _PREDICT:
            if what.lower() != "predict":
                raise invalid(f"Signatures of {name} are for predict, not for {what.lower()}")
            with self.library.use(*which) as loaded:
                return await self._predict(loaded, await self._body(receive))
        if what:
            with self.library.use(*which) as loaded:
                return rest.dump(_metadata(loaded.servable))
        return rest.dump({"model_version_status": self.library.status(*which)})

    async def _body(self, receive: Callable) -> bytes:
        most, parts, size = self.settings.body, [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise Refused("TOO_LARGE", f"Request body is larger than {most} bytes")
            if not message.get("more_body"):
                return b"".join(parts)

    async def _predict(self, loaded: Loaded, body: bytes) -> bytes:
        signatures = loaded.servable.signatures

        def read():
            request = rest.read(body)
            name = rest.signature_name(request)
            if name not in signatures:
                raise invalid(f'Serving signature name: "{name[:100]}" not found in signature def')
            return name, *rest.inputs(request, signatures[name])

        name, inputs, rows = await asyncio.to_thread(read) if len(body) > LARGE else read()
        count = max((each.shape[0] for each in inputs.values() if each.ndim), default=1)
        try:
            outputs = await asyncio.wait_for(loaded.about[name](inputs, count), self.settings.timeout)
        except asyncio.TimeoutError as error:
            raise Refused("DEADLINE_EXCEEDED", f"No answer within {self.settings.timeout:g} s") from error
        large = sum(each.size for each in outputs.values()) > LARGE // 8
        return await asyncio.to_thread(rest.answer, outputs, rows) if large else rest.answer(outputs, rows)

    def _page(self) -> bytes:
        loaded = {(name, number) for name, versions in self.library.models.items() for number in versions}
        return self.metrics.page(self.under_way, loaded)


class _Gone(Exception):
    """The asker has closed the connection."""


async def _lifespan(running: Callable, receive: Callable, send: Callable) -> None:
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


def _metadata(servable: Servable) -> dict:
    found = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        found.signature_def[name].CopyFrom(servable.definitions[name])
    said = json_format.MessageToDict(found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": said}}


class _Protocol(HttpToolsProtocol):
    """What is no HTTP at all is answered in JSON, too."""

    def send_400_response(self, msg: str) -> None:
        body = rest.error(msg)
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()


class _Server(uvicorn.Server):
    """Tells where it listens, and ends well on SIGTERM and SIGINT."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for listening in (each for server in getattr(self, "servers", ()) for each in server.sockets):
            host, port = listening.getsockname()[:2]
            log.info("Serving on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises UserError where there is nothing to serve or the port is taken."""
    service, failures = Service(settings), []

    async def application(scope, receive, send):
        try:
            await service(scope, receive, send)
        except UserError as error:  # which uvicorn would only log
            failures.append(error)
            raise

    config = uvicorn.Config(
        application, host=settings.host, port=settings.port, http=_Protocol, ws="none", lifespan="on", log_config=None,
        access_log=False, proxy_headers=False, server_header=False, date_header=False, backlog=2048,
        timeout_graceful_shutdown=int(settings.grace),
    )  # fmt: skip
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it deprecates the loader that TF Serving runs
    sys.setswitchinterval(0.0005)  # a thread that comes back from TensorFlow would wait 5 ms for the loop's thread
    try:
        _Server(config).run()
    except SystemExit as error:
        if not failures:
            raise UserError(f"Cannot listen on {settings.host}:{settings.port}: is the port taken?") from error
    if failures:
        raise failures[0]
