"""The server: `Service` on uvicorn, with a graceful end."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rnnsuite.core.errors import UserError
from rnnsuite.server import memory, overview, rest
from rnnsuite.server.service import Service, Settings

log = logging.getLogger(__name__)
HEAD_BYTES = 2**16
"""Of a request's headers at most."""
SWITCH_SECONDS = 0.0005
"""After which Python's interpreter lets another thread run."""


class _Protocol(HttpToolsProtocol):
    """HTTP whose requests have bounded headers and come in time; what is no HTTP is answered in
    JSON, too.

    A connection has one timer, which looks whether the request under way is late: cheaper than to
    start and stop one for each request.

    Attributes:
        seconds: that a request may take to come, from the connection or from its first byte on.
    """

    seconds = 30.0
    _head_bytes = 0
    _is_head = True
    _due: float | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._is_head = True
        self._expect()

    def on_headers_complete(self) -> None:
        self._is_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._due = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse("431 Request Header Fields Too Large", "Headers are too large")

    def connection_lost(self, exc: Exception | None) -> None:
        self._due = None
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse("400 Bad Request", msg)

    def _expect(self) -> None:
        """A whole request, from now on."""
        self._due = self.loop.time() + self.seconds
        if self._timer is None:
            self._timer = self.loop.call_at(self._due, self._look)

    def _look(self) -> None:
        """Refuses a request that is late, or looks again when it would be."""
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._look)
        else:
            self._refuse("408 Request Timeout", f"No request within {self.seconds:g} s")

    def _refuse(self, status: str, reason: str) -> None:
        body = rest.error(reason)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self.transport.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
        self.transport.close()


class _Server(uvicorn.Server):
    """Tells where it listens, and ends well on SIGTERM and SIGINT."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self.service = service

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        for listening in (
            socket for server in getattr(self, "servers", ()) for socket in server.sockets
        ):
            host, port = listening.getsockname()[:2]
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            log.info("Serving on %s", address)
            log.info("Try: curl %s%s", address, overview.example(self.service.library))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: what and where.

    Raises:
        UserError: where there is nothing to serve or the port is taken.
    """
    service = Service(settings)
    failures = []

    async def application(scope, receive, send):
        try:
            await service(scope, receive, send)
        except UserError as error:  # which uvicorn would only log
            failures.append(error)
            raise

    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        http=type("Protocol", (_Protocol,), {"seconds": settings.timeout}),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=2048,
        timeout_graceful_shutdown=int(settings.grace),
    )
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    # TensorFlow deprecates the loader that TF Serving runs.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # A thread that comes back from TensorFlow would wait 5 ms for the loop's thread.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    memory.settle()
    try:
        _Server(config, service).run()
    except SystemExit as error:
        if not failures:
            raise UserError(
                f"Cannot listen on {settings.host}:{settings.port}: is the port taken?"
            ) from error
    finally:
        sys.setswitchinterval(interval)
    if failures:
        raise failures[0]
