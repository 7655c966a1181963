"""TF Serving's REST addresses as an ASGI application, with limits and metrics."""

import asyncio
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

from rnnsuite.server import asgi, overview, rest, streaming
from rnnsuite.server.batching import Batcher, Threads
from rnnsuite.server.cost import Limits
from rnnsuite.server.library import Library, Loaded, VersionPolicy
from rnnsuite.server.metrics import Metrics
from rnnsuite.server.reading import Reader
from rnnsuite.server.servable import Servable
from rnnsuite.server.status import RequestError, invalid

log = logging.getLogger(__name__)
METRICS = "/monitoring/prometheus/metrics"
MANY = 2**15  # numbers of an answer that are written in a thread
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
        limits: of one request.
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
    limits: Limits = dataclasses.field(default_factory=Limits)
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
        self.read = Reader(settings.limits)
        self.threads: dict[str, Threads] = {}
        self.library = Library(
            settings.models, settings.names, settings.policies, settings.threads, self._batchers
        )

    def _batchers(self, servable: Servable) -> dict[str, Batcher]:
        make = functools.partial(
            Batcher,
            max_rows=self.settings.batch,
            on_batch=self.metrics.batch(servable.name),
        )
        return {
            name: make(
                functools.partial(servable.run, name),
                threads=self._threads(f"{servable.name} {name}"),
                together=signature.together,
            )
            for name, signature in servable.signatures.items()
        }

    def _threads(self, name: str) -> Threads:
        """A signature's: what is asked much takes its share of the cores, not all."""
        if name not in self.threads:
            self.threads[name] = Threads(name, self.parallel)
        return self.threads[name]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.library.start()
        watch = asyncio.create_task(_watch(self.library, self.settings.poll))
        try:
            yield
        finally:
            watch.cancel()
            for threads in self.threads.values():
                threads.shutdown()
            self.read.close()
            self.library.close()

    async def __call__(self, scope: Mapping, receive: Callable, send: Callable) -> None:
        """The ASGI application. Models are loaded when it starts."""
        if scope["type"] == "lifespan":
            return await asgi.lifespan(self.running, receive, send)
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
        except asgi.ClientDisconnected:
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
            largest = self.settings.body
            if what.lower() == "stream":
                largest = min(largest, streaming.BODY)
            body = await asgi.read_body(receive, largest)
            with self.library.use(*which) as loaded:
                if what.lower() == "predict":
                    return await self._predict(loaded, body, receive)
                await streaming.answer(loaded, body, receive, send, self.settings.timeout)
                return None
        if what:
            with self.library.use(*which) as loaded:
                return rest.dump(_metadata(loaded.servable))
        return rest.dump({"model_version_status": self.library.status(*which)})

    async def _predict(self, loaded: Loaded, body: bytes, receive: Callable) -> bytes:
        request = await self.read(body, loaded.servable.signatures)
        answer = loaded.about[request.signature](request.inputs, request.count)
        outputs = await asgi.awaited(answer, receive, self.settings.timeout)
        if sum(value.size for value in outputs.values()) > MANY:
            return await asyncio.to_thread(rest.answer, outputs, request.is_rows)
        return rest.answer(outputs, request.is_rows)

    def _page(self) -> bytes:
        models = self.library.models
        loaded = {(name, number) for name in models for number in models[name]}
        return self.metrics.page(self.under_way, loaded)


async def _watch(library: Library, pause: float) -> None:
    """Looks for new versions again and again; what stands in the way is said once, not each time.

    A disk that is away for a moment must not end the looking.
    """
    last = ""
    while True:
        await asyncio.sleep(pause)
        try:
            await library.refresh()
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            if message != last:
                is_fault = not isinstance(error, OSError)
                log.warning("Cannot look for new versions (%s).", message, exc_info=is_fault)
            last = message
        else:
            if last:
                log.warning("New versions can be looked for again.")
            last = ""


def _metadata(servable: Servable) -> dict:
    definitions = get_model_metadata_pb2.SignatureDefMap()
    for name in servable.signatures:
        definitions.signature_def[name].CopyFrom(servable.definitions[name])
    values = json_format.MessageToDict(
        definitions, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    return {"model_spec": spec, "metadata": {"signature_def": values}}
