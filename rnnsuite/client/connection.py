"""HTTP requests that end within their time, and answers of a bounded size."""

import contextvars
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from rnnsuite.client.transport import Failed

LARGEST = 2**28
"""Bytes of an answer at most."""
_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline")


class Connection:
    """Connections to one server, kept open.

    A time limit is one of the whole request: a server that sends a byte now and then does not
    extend it. Answers are taken as they are sent, never decompressed.

    Args:
        url: of the server, such as http://localhost:8501.
        headers: sent with every request.
        largest: bytes of an answer at most.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, largest: int = LARGEST):
        self.url = url.rstrip("/")
        self.headers = {"accept-encoding": "identity", **(headers or {})}
        self.largest = largest
        self.pool = httpcore.ConnectionPool(network_backend=_Timed())

    def ask(
        self, method: str, path: str, timeout: float, content: bytes | None = None
    ) -> tuple[int, bytes]:
        """Sends a request.

        Args:
            method: such as GET.
            path: behind the server's address, quoted.
            timeout: seconds until the answer is there.
            content: the body.

        Returns:
            The status and the body of the answer.

        Raises:
            Failed: DEADLINE_EXCEEDED; UNAVAILABLE for no connection or a broken one; INTERNAL for
                an answer that is too large.
        """
        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        token = _deadline.set(time.monotonic() + timeout)
        try:
            with self.pool.stream(
                method,
                self.url + path,
                headers=self.headers,
                content=content,
                extensions={"timeout": limits},
            ) as response:
                return response.status, self._body(response.iter_stream())
        except httpcore.TimeoutException as error:
            raise Failed("DEADLINE_EXCEEDED", "no answer in time") from error
        except (httpcore.ConnectError, httpcore.UnsupportedProtocol) as error:
            raise Failed("UNAVAILABLE", f"cannot connect to {self.url}: {error}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Failed("UNAVAILABLE", f"the connection broke: {error}") from error
        finally:
            _deadline.reset(token)

    def _body(self, stream: Iterable[bytes]) -> bytes:
        parts = []
        size = 0
        for part in stream:
            size += len(part)
            if size > self.largest:
                raise Failed("INTERNAL", f"an answer of more than {self.largest} bytes")
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Closes what is open."""
        self.pool.close()


def _left(timeout: float | None) -> float:
    """Seconds of the request that are left. Raises httpcore.ReadTimeout for none."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time of the request is over")
    return left if timeout is None else min(left, timeout)


class _TimedStream(httpcore.NetworkStream):
    """A connection none of whose waits is longer than what is left of the request's time."""

    def __init__(self, stream: httpcore.NetworkStream):
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _TimedStream(self.stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


class _Timed(httpcore.NetworkBackend):
    """Makes such connections."""

    def __init__(self):
        self.backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self.backend.connect_tcp(host, port, _left(timeout), local_address, socket_options)
        return _TimedStream(stream)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _TimedStream(self.backend.connect_unix_socket(path, _left(timeout), socket_options))
