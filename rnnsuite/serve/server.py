"""The server: TF Serving's REST addresses on Starlette and uvicorn, with limits, metrics and a graceful end."""

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
import time
from collections.abc import AsyncIterator, Iterator

import uvicorn
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
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
    an answer. poll: seconds between looks for new versions. threads: of TensorFlow, 0 for one a core. grace: seconds
    that requests have to end when the server stops.
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
    threads: int = 0
    grace: float = 30.0


class Service:
    """Answers requests from a library of models."""

    def __init__(self, settings: Settings):
        self.settings, self.metrics = settings, Metrics()
        threads = settings.threads or os.cpu_count() or 1
        self.pool = concurrent.futures.ThreadPoolExecutor(threads, "model")
        self.parallel, self.under_way = threads, 0
        self.library = Library(settings.models, settings.names, settings.plans, settings.threads, self._batchers)

    def _batchers(self, servable: Servable) -> dict[str, Batcher]:
        return {
            name: Batcher(
                functools.partial(servable.run, name), self.pool, each.together, self.settings.batch, self.parallel,
                self.metrics.batch(servable.name),
            )
            for name, each in servable.signatures.items()
        }  # fmt: skip

    @contextlib.asynccontextmanager
    async def running(self, _) -> AsyncIterator[None]:
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

    async def answer(self, request: Request) -> Response:
        started, model, code = time.perf_counter(), "", "INTERNAL"
        try:
            with self._place():
                model, body = await self._answer(request)
            code = "OK"
            return _json(200, body)
        except Refused as error:
            code = error.code
            return _json(error.http, rest.error(str(error)), {"Retry-After": "1"} if error.http == 503 else None)
        except ClientDisconnect:
            code = "CANCELLED"
            return Response(status_code=499)
        except Exception:
            log.exception("A request failed.")
            return _json(500, rest.error("Internal error; the server's log says more."))
        finally:
            self.metrics.request(model, code, time.perf_counter() - started)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self.under_way >= self.settings.concurrency:
            raise Refused("UNAVAILABLE", f"{self.under_way} requests are under way already; try again")
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def _answer(self, request: Request) -> tuple[str, bytes]:
        path, method = request.url.path, request.method
        asked = _PREDICT.fullmatch(path) if method == "POST" else None
        if asked:
            name, version, label, verb = asked.groups()
            if verb.lower() != "predict":
                raise invalid(f"Signatures of {name} are for predict, not for {verb.lower()}")
            with self.library.use(name, version and int(version), label) as loaded:
                return name, await self._predict(loaded, await self._body(request))
        asked = _ABOUT.fullmatch(path) if method in ("GET", "HEAD") else None
        if not asked:
            raise invalid(f"Malformed request: {method} {path[:200]}")
        name, version, label, metadata = asked.groups()
        if metadata:
            with self.library.use(name, version and int(version), label) as loaded:
                return name, rest.dump(_metadata(loaded.servable))
        states = self.library.status(name, version and int(version), label)
        return name, rest.dump({"model_version_status": states})

    async def _body(self, request: Request) -> bytes:
        most, body = self.settings.body, bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise Refused("TOO_LARGE", f"Request body is larger than {most} bytes")
        return bytes(body)

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

    async def measured(self, _: Request) -> Response:
        loaded = {(name, number) for name, versions in self.library.models.items() for number in versions}
        return Response(self.metrics.page(self.under_way, loaded), media_type=self.metrics.kind)


def _json(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def _metadata(servable: Servable) -> dict:
    found = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        found.signature_def[name].CopyFrom(servable.definitions[name])
    said = json_format.MessageToDict(found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": said}}


def application(settings: Settings) -> Starlette:
    """The ASGI application; models are loaded when it starts."""
    service = Service(settings)

    async def nowhere(request: Request, _: Exception) -> Response:
        return _json(404, rest.error(f"There is nothing at {request.method} {request.url.path[:200]}"))

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
    routes = [Route(METRICS, service.measured), Route("/{path:path}", service.answer, methods=methods)]
    return Starlette(routes=routes, lifespan=service.running, exception_handlers={404: nowhere, 405: nowhere})


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
    failure: list[BaseException] = []
    app = application(settings)
    started = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def noted(app):
        try:
            async with started(app) as state:
                yield state
        except UserError as error:  # which uvicorn would only log
            failure.append(error)
            raise

    app.router.lifespan_context = noted
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, http=_Protocol, ws="none", lifespan="on", log_config=None,
        access_log=False, timeout_graceful_shutdown=int(settings.grace), backlog=2048, server_header=False,
    )  # fmt: skip
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it deprecates the loader that TF Serving runs
    try:
        _Server(config).run()
    except SystemExit as error:
        if failure:
            raise failure[0] from None
        raise UserError(f"Cannot listen on {settings.host}:{settings.port}: is the port taken?") from error
    if failure:
        raise failure[0]
