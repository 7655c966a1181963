"""The client against hostile servers: only its own errors, within the time asked for."""

import contextlib
import json
import socket
import threading
import time
import zlib

import pytest

from rnnsuite.client import Client, ClientError, ServerFailed, ServerUnavailable, TimedOut
from rnnsuite.client.connection import Connection
from rnnsuite.client.transport import Failed

SECONDS = 0.5
"""That a request may take."""
METADATA = {
    "metadata": {
        "signature_def": {
            "signature_def": {
                "serving_default": {
                    "inputs": {"text": {"dtype": "DT_STRING"}},
                    "outputs": {"score": {"dtype": "DT_FLOAT"}, "label": {"dtype": "DT_STRING"}},
                }
            }
        }
    }
}


def http(value, status="200 OK", headers=""):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def trickled(content, pause=0.05):
    """A byte now and then, each within any time limit of its own."""
    for byte in content * 1000:
        yield bytes([byte])
        time.sleep(pause)


@contextlib.contextmanager
def server(answer):
    """A server that answers every request with the bytes that `answer(request)` gives."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    stop = threading.Event()

    def converse(connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            received = b""
            while not stop.is_set():
                part = connection.recv(65536)
                if not part:
                    return
                received += part
                if b"\r\n\r\n" in received:
                    result = answer(received)
                    received = b""
                    if result is None:
                        return
                    for piece in [result] if isinstance(result, bytes) else result:
                        if stop.is_set():
                            return
                        connection.sendall(piece)

    def accept():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop.set()
    listening.close()


def says(value):
    """Answers predictions with a value, and what is asked of metadata with those of a model."""

    def answer(request):
        return http(METADATA) if b"/metadata" in request.split(b"\r\n")[0] else http(value)

    return answer


WRONG = [
    None,
    3,
    "x",
    [],
    [{}],
    {},
    {"outputs": None},
    {"outputs": 3},
    {"outputs": {}},
    {"outputs": {"score": [0.5], "label": [{"b64": "***"}]}},
    {"outputs": {"score": [0.5], "label": [{"64": ""}]}},
    {"outputs": {"score": [[0.5], [0.5, 0.5]], "label": ["x"]}},
    {"outputs": {"score": ["no number"], "label": ["x"]}},
    {"outputs": {"score": [{}], "label": ["x"]}},
    {"outputs": {"other": [1.0], "another": [2.0]}},
    {"outputs": {"score": 10**400, "label": ["x"]}},
    {"error": "in an answer that says that it is none"},
]
"""JSON that is no answer of a model."""


@pytest.mark.parametrize("value", WRONG, ids=lambda value: json.dumps(value)[:40])
def test_json_that_is_no_answer(value):
    with server(says(value)) as url, Client(url, timeout=5) as client, pytest.raises(ServerFailed):
        client.predict("a", {"text": ["x"]})


NO_METADATA = [None, [], {}, {"metadata": 3}, {"metadata": {"signature_def": []}}]
VERSIONS = "model_version_status"
NO_STATES = [None, [], {}, {VERSIONS: 3}, {VERSIONS: [{"version": "x"}]}]


@pytest.mark.parametrize("value", NO_METADATA)
def test_metadata_that_are_none(value):
    def answer(request):
        is_predict = b":predict" in request.split(b"\r\n")[0]
        return http({"outputs": {"score": [1.0]}} if is_predict else value)

    with server(answer) as url, Client(url, timeout=5) as client:
        with pytest.raises(ServerFailed):
            client.predict("a", {"text": ["x"]})
        with pytest.raises(ServerFailed):
            client.signatures("a")


@pytest.mark.parametrize("value", NO_STATES)
def test_states_that_are_none(value):
    states = server(lambda request: http(value))
    with states as url, Client(url) as client, pytest.raises(ServerFailed):
        client.versions("a")


BROKEN = {
    "closes": lambda request: None,
    "no HTTP": lambda request: b"\x00\xff\r\n\r\n" * 20,
    "another protocol": lambda request: b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a status line": lambda request: iter([b"HTTP/1.", b""]),
    "a length that lies": lambda request: b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
    "two lengths": lambda request: http({}, headers="content-length: 7\r\n"),
    "a negative length": lambda request: b"HTTP/1.1 200 OK\r\ncontent-length: -7\r\n\r\n",
    "a chunk of no number": lambda request: (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
    ),
    "headers without end": lambda request: b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000,
    "status 0": lambda request: http({}, status="000 None"),
    "another place": lambda request: http({}, "302 Found", "location: http://127.0.0.1:9/\r\n"),
    "silence": lambda request: (time.sleep(3), b"")[1],
    "a body byte by byte": lambda request: trickled(http({"outputs": {}})[:-1]),
    "headers byte by byte": lambda request: trickled(b"HTTP/1.1 200 OK\r\na: b\r\n"),
    "white space for ever": lambda request: (b" " * 1000 for _ in range(10**6)),
    "deep JSON": lambda request: http(b"[" * 100_000),
    "an HTML page": lambda request: http(b"<html>welcome</html>"),
    "no UTF-8": lambda request: http(b'{"outputs": "\xff\xfe"}'),
    "compressed unasked": lambda request: http(
        zlib.compress(b" " * 10**7), headers="content-encoding: deflate\r\n"
    ),
    "a number without end": lambda request: http(b'{"outputs": ' + b"9" * 10_000 + b"}"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_servers_that_break_the_rules(kind):
    with server(BROKEN[kind]) as url, Client(url, timeout=SECONDS, attempts=2) as client:
        begun = time.monotonic()
        with pytest.raises(ClientError) as caught:
            client.predict("a", {"text": ["x"]})
        assert time.monotonic() - begun < 4 * SECONDS
        assert isinstance(caught.value, ServerFailed | ServerUnavailable | TimedOut)


def test_time_is_that_of_the_whole_request():
    answer = trickled(http({"outputs": {"score": [1.0]}}), pause=0.02)
    with server(lambda request: answer) as url:
        begun = time.monotonic()
        with pytest.raises(Failed, match="no answer in time"):
            Connection(url).ask("GET", "/", SECONDS)
        assert SECONDS <= time.monotonic() - begun < 2 * SECONDS


def test_a_wait_ends_with_the_request_s_time():
    """A byte late in it, and silence."""

    def answer():
        time.sleep(0.8)
        yield b"H"
        time.sleep(3)

    with server(lambda request: answer()) as url:
        begun = time.monotonic()
        with pytest.raises(Failed, match="no answer in time"):
            Connection(url).ask("GET", "/", 1)
        assert time.monotonic() - begun < 1.5


def test_an_answer_has_a_bound():
    large = http(b" " * 2_000_000)
    with server(lambda request: large) as url:
        assert len(Connection(url).ask("GET", "/", 5)[1]) == 2_000_000
        with pytest.raises(Failed, match="more than 1000000 bytes"):
            Connection(url, largest=1_000_000).ask("GET", "/", 5)


def test_names_stay_within_their_part_of_the_path():
    asked = []

    def answer(request):
        asked.append(request.split(b" ")[1])
        return http({"model_version_status": []})

    with server(answer) as url, Client(url) as client:
        for name in ("../secret", "a b?c#d", "a\r\nx: y", "é"):
            client.versions(name)
    assert asked == [
        b"/v1/models/..%2Fsecret",
        b"/v1/models/a%20b%3Fc%23d",
        b"/v1/models/a%0D%0Ax%3A%20y",
        b"/v1/models/%C3%A9",
    ]


def test_a_connection_that_was_given_up_is_not_used_again():
    """What comes late of one request is no answer of the next."""
    late = threading.Event()

    def answer(request):
        if not late.is_set():
            late.set()
            time.sleep(2 * SECONDS)
            return http({"late": True})
        return http({"late": False})

    with server(answer) as url:
        connection = Connection(url)
        with pytest.raises(Failed):
            connection.ask("GET", "/", SECONDS)
        time.sleep(2 * SECONDS)
        assert json.loads(connection.ask("GET", "/", 5)[1]) == {"late": False}
