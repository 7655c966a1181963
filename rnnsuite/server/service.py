"""TF Serving's REST addresses as an ASGI application, with limits and metrics."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import functools
import logging
import os
import pathlib
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from rnnsuite.server import overview, rest, streaming
from rnnsuite.server.batching import Batcher
from rnnsuite.server.library import Library, Loaded, VersionPolicy
from rnnsuite.server.metrics import Metrics
from rnnsuite.server.servable import Servable
from rnnsuite.server.status import RequestError, invalid

log = logging.getLogger(__name__)
METRICS = "/monitoring/prometheus/metrics"
LARGE = 256 * 1024  # bytes of JSON that are read in a thread, so that others need not wait for it
_WHICH = r"/v1/models/([^/:]+)(?:/versions/(\d{1,18})|/labels/([^/:]+))?"
_PREDICT = re.compile(_WHICH + r":(predict|stream|classify|regress)", re.IGNORECASE)
_ABOUT = re.compile(_WHICH + r"(/metadata)?", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve.

    Args:
        models: folder of all models.
        names: models to serve; all of them by default.
        policies: which versions, by model.
        host: where to listen.
        port: 0 takes a free one.
        body: bytes of a request at most.
        concurrency: requests at a time at most; more are told to come again.
        batch: rows that requests may share a run in.
        timeout: time for an answer (s).
        poll: polling interval for new versions (s).
        threads: TensorFlow threads per run; a recurrence has little to divide among more, and
            several runs at once fill the cores.
        grace: grace period on shutdown (s).
    """

    models: pathlib.Path
    names: tuple[str, ...] = ()
    policies: dict[str, VersionPolicy] = dataclasses.field(default_factory=dict)
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
        self.settings = settings
        self.metrics = Metrics()
        self.parallel = max((os.cpu_count() or 1) // settings.threads, 1)
        self.under_way = 0
        self.pool = concurrent.futures.ThreadPoolExecutor(self.parallel, "model")
        self.library = Library(
            settings.models, settings.names, settings.policies, settings.threads, self._batchers
        )

    def _batchers(self, servable: Servable) -> dict[str, Batcher]:
        make = functools.partial(
            Batcher,
            pool=self.pool,
            max_rows=self.settings.batch,
            parallel=self.parallel,
            on_batch=self.metrics.batch(servable.name),
        )
        return {
            name: make(functools.partial(servable.run, name), together=signature.together)
            for name, signature in servable.signatures.items()
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
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            status = 200
            kind = "application/json"
            body = rest.dump({**overview.describe(self.library), "metrics": METRICS})
        elif scope["path"] == METRICS and scope["method"] == "GET":
            status = 200
            kind = self.metrics.kind
            body = self._page()
        else:
            kind = "application/json"
            status, body = await self._answered(scope, receive, send)
        if status is None or body is None:  # nobody is there any more, or it has been sent
            return
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(b"retry-after", b"1")] if status == 503 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    async def _answered(
        self, scope: Mapping, receive: Callable, send: Callable
    ) -> tuple[int | None, bytes | None]:
        """Status and body; no status where the asker has gone, no body where it has been sent."""
        started = time.perf_counter()
        code = "INTERNAL"
        self.under_way = self.under_way + 1
        match = _PREDICT.fullmatch(scope["path"]) or _ABOUT.fullmatch(scope["path"])
        model = match[1] if match and match[1] in self.library.models else ""
        try:
            if self.under_way > self.settings.concurrency:
                raise RequestError(
                    "UNAVAILABLE", f"{self.under_way - 1} requests are under way already; try again"
                )
            body = await self._answer(scope["method"], scope["path"], match, receive, send)
            code = "OK"
            return 200, body
        except RequestError as error:
            code = error.code
            return error.http, rest.error(str(error))
        except ClientDisconnected:
            code = "CANCELLED"
            return None, b""
        except Exception:
            log.exception("A request failed.")
            return 500, rest.error("Internal error; the server's log says more.")
        finally:
            self.under_way -= 1
            self.metrics.request(model, code, time.perf_counter() - started)

    async def _answer(
        self, method: str, path: str, match: re.Match | None, receive: Callable, send: Callable
    ) -> bytes | None:
        if (
            match is None
            or (match.re is _PREDICT) != (method == "POST")
            or method not in ("GET", "HEAD", "POST")
        ):
            raise invalid(f"Malformed request: {method} {path[:200]}")
        name, version, label, what = match.groups()
        which = name, version and int(version), label
        if match.re is _PREDICT:
            if what.lower() not in ("predict", "stream"):
                raise invalid(f"Signatures of {name} are for predict, not for {what.lower()}")
            # Before a version is taken: the body may come slowly.
            body = await _read_body(receive, self.settings.body)
            with self.library.use(*which) as loaded:
                if what.lower() == "predict":
                    return await self._predict(loaded, body)
                await streaming.answer(loaded, body, receive, send, self.settings.timeout)
                return None
        if what:
            with self.library.use(*which) as loaded:
                return rest.dump(_metadata(loaded.servable))
        return rest.dump({"model_version_status": self.library.status(*which)})

    async def _predict(self, loaded: Loaded, body: bytes) -> bytes:
        signatures = loaded.servable.signatures

        def read():
            request = rest.read(body)
            name = rest.signature_name(request)
            if name not in signatures:
                raise invalid(f'Serving signature name: "{name[:100]}" not found in signature def')
            return name, *rest.inputs(request, signatures[name])

        name, inputs, rows = await asyncio.to_thread(read) if len(body) > LARGE else read()
        count = max((value.shape[0] for value in inputs.values() if value.ndim), default=1)
        try:
            outputs = await asyncio.wait_for(
                loaded.about[name](inputs, count), self.settings.timeout
            )
        except asyncio.TimeoutError as error:
            raise RequestError(
                "DEADLINE_EXCEEDED", f"No answer within {self.settings.timeout:g} s"
            ) from error
        if sum(value.size for value in outputs.values()) > LARGE // 8:
            return await asyncio.to_thread(rest.answer, outputs, rows)
        return rest.answer(outputs, rows)

    def _page(self) -> bytes:
        models = self.library.models.items()
        loaded = {(name, number) for name, versions in models for number in versions}
        return self.metrics.page(self.under_way, loaded)


async def _read_body(receive: Callable, largest: int) -> bytes:
    """A request's body of at most so many bytes."""
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


class ClientDisconnected(Exception):
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
    definitions = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        definitions.signature_def[name].CopyFrom(servable.definitions[name])
    values = json_format.MessageToDict(
        definitions, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": values}}
