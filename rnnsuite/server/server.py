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
from rnnsuite.server import overview, rest
from rnnsuite.server.service import Service, Settings

log = logging.getLogger(__name__)
SWITCH_SECONDS = 0.0005
"""After which Python's interpreter lets another thread run."""


class _Protocol(HttpToolsProtocol):
    """What is no HTTP at all is answered in JSON, too."""

    def send_400_response(self, msg: str) -> None:
        body = rest.error(msg)
        head = (
            f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: "
            f"{len(body)}\r\n"
        )
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
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
        http=_Protocol,
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
