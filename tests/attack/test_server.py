"""The server under hostile requests, with a well-behaved asker beside each of them.

Every request is answered with 4xx or 503, or, where it is only odd, with an answer; the asker
beside gets the answer that it always gets, and memory comes back.
"""

import base64
import io
import json
import re
import socket
import struct
import threading
import zlib

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.files import picture, sound
from tests.server.test_fuzz import memory
from tests.serving import Serving

BESIDE = {"instances": ["A wonderful film, superbly acted."]}
SENTIMENT = "/v1/models/sentiment:predict"


def of(model):
    return f"/v1/models/{model}:predict"


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def instances(*values, **more):
    return json.dumps({**more, "instances": list(values)}).encode()


def columns(signature, **inputs):
    return json.dumps({"signature_name": signature, "inputs": inputs}).encode()


def png(width, height, data=b"", kind=2):
    """A PNG file whose header may lie."""

    def chunk(name, content):
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def gif(width, height):
    """A GIF file of one frame that is all of one part."""
    size = struct.pack("<HH", width, height)
    return b"GIF89a" + size + bytes(3) + b"," + bytes(4) + size + b"\0\2\2D\1\0;"


def wav(rate=16_000, channels=1, bits=16, kind=1, size=None, data=b"\0\0" * 800):
    """A WAV file whose header may lie."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * align % 2**32, align, bits)
    size = len(data) if size is None else size
    riff = b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + b"WAVEfmt "
    return riff + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data


def bomb(side=8000):
    """A picture of 64 million pixels in some kilobytes; nine of them in one request."""
    stream = io.BytesIO()
    Image.new("L", (side, side)).save(stream, "PNG")
    return stream.getvalue()


def cut(content, part=0.5):
    return content[: int(len(content) * part)]


JPEG = picture(80, 60)
BODIES = {
    "a number for a text": (SENTIMENT, instances(7)),
    "a list for a text": (SENTIMENT, instances(["x"])),
    "an object for a text": (SENTIMENT, instances({"text": {"text": "x"}})),
    "a text for numbers": (SENTIMENT, columns("classify_ids", ids="five")),
    "texts for numbers": (SENTIMENT, columns("classify_ids", ids=[["5", "6"]])),
    "a fraction for a whole number": (SENTIMENT, columns("classify_ids", ids=[[0.5]])),
    "too large for its type": (SENTIMENT, columns("classify_ids", ids=[[2**31]])),
    "an id that there is not": (SENTIMENT, columns("classify_ids", ids=[[2**31 - 1]])),
    "a negative id": (SENTIMENT, columns("classify_ids", ids=[[-5]])),
    "rows of unequal length": (SENTIMENT, columns("classify_ids", ids=[[5], [5, 6]])),
    "a rank too many": (SENTIMENT, columns("classify_ids", ids=[[[5]]])),
    "a rank too few": (SENTIMENT, columns("classify_ids", ids=5)),
    "no rows": (SENTIMENT, columns("classify_ids", ids=[])),
    "a million rows": (SENTIMENT, b'{"instances": [' + b'"x",' * 10**6 + b'"x"]}'),
    "five million numbers": (
        SENTIMENT,
        b'{"signature_name": "classify_ids", "inputs": [[' + b"5," * (5 * 10**6) + b"5]]}",
    ),
    "a text of 30 MB": (SENTIMENT, instances("x" * 30_000_000)),
    "a body of 34 MB": (SENTIMENT, instances("x" * 34_000_000)),
    "nested a hundred thousand times": (SENTIMENT, b'{"instances": ' + b"[" * 100_000),
    "nested objects": (SENTIMENT, b'{"instances": ' + b'{"a":' * 100_000),
    "a number of a million digits": (SENTIMENT, b'{"instances": [' + b"9" * 10**6 + b"]}"),
    "the same key twice": (SENTIMENT, b'{"instances": [5], "instances": [{}]}'),
    "half a surrogate": (SENTIMENT, b'{"instances": ["\\ud800"]}'),
    "no UTF-8": (SENTIMENT, b'{"instances": ["\xff\xfe"]}'),
    "NaN for a text": (SENTIMENT, b'{"instances": [NaN]}'),
    "an unknown signature": (SENTIMENT, instances("x", signature_name="../explain")),
    "a signature that is a list": (SENTIMENT, instances("x", signature_name=["explain"])),
    "unknown inputs": (SENTIMENT, columns("serving_default", txt=["x"])),
    "one input too many": (SENTIMENT, columns("serving_default", text=["x"], more=["y"])),
    "no base64": (of("captioning"), instances({"b64": "?"})),
    "a beam of none": (of("translation"), columns("nbest", text=["x"], beam=0)),
    "a beam of a billion": (of("translation"), columns("nbest", text=["x"], beam=10**9)),
    "a negative beam": (of("translation"), columns("nbest", text=["x"], beam=-1)),
    "a beam that is a text": (of("translation"), columns("nbest", text=["x"], beam="3")),
    "a beam for each row": (of("translation"), columns("nbest", text=["x"], beam=[3])),
    "no picture": (of("captioning"), instances(b64(b"no picture"))),
    "an empty picture": (of("captioning"), instances(b64(b""))),
    "half a JPEG": (of("object_recognition"), instances(b64(cut(JPEG, 0.05)))),
    "a PNG without pixels": (of("captioning"), instances(b64(png(10, 10)))),
    "a PNG of two billion by two billion": (
        of("captioning"),
        instances(b64(png(2**31 - 1, 2**31 - 1))),
    ),
    "a PNG of nothing by nothing": (of("captioning"), instances(b64(png(0, 0)))),
    "a PNG of a large width": (of("captioning"), instances(b64(png(60_000_000, 1)))),
    "PNGs of 576 million pixels": (of("captioning"), instances(*[b64(bomb())] * 9)),
    "a GIF of 400 million pixels": (of("captioning"), instances(b64(gif(20_000, 20_000)))),
    "a picture in JPEG XL": (of("captioning"), instances(b64(b"\xff\x0a" + bytes(200)))),
    "a GIF of one byte": (of("captioning"), instances(b64(b"GIF89a\x01"))),
    "no sound": (of("speech_commands"), instances(b64(b"no sound"))),
    "a sound without format": (of("speech_commands"), instances(b64(b"RIFF\0\0\0\0WAVE"))),
    "a sound of no channels": (of("speech_commands"), instances(b64(wav(channels=0)))),
    "a sound of 0 Hz": (of("speech_commands"), instances(b64(wav(rate=0)))),
    "a sound of 5 bits": (of("speech_commands"), instances(b64(wav(bits=5)))),
    "a sound of another codec": (of("speech_commands"), instances(b64(wav(kind=85)))),
    "speech of 0 Hz": (of("speech_recognition"), instances(b64(wav(rate=0)))),
    "speech of 1 Hz": (of("speech_recognition"), instances(b64(wav(rate=1)))),
    "a list of frames that are none": (
        of("video_captioning"),
        columns("serving_default", features=[3]),
    ),
    "texts for frames": (of("activity_recognition"), instances({"values": "fast"})),
    "an application that is not served": (of("nobody"), instances("x")),
    "a path upwards": ("/v1/models/../../etc/passwd:predict", instances("x")),
    "a version that there is not": ("/v1/models/sentiment/versions/999:predict", instances("x")),
    "a version of many digits": (f"/v1/models/sentiment/versions/{'9' * 400}:predict", b"{}"),
}
"""What must be refused: path and body."""
ODD = {
    "a sound of 1 Hz": (of("speech_commands"), instances(b64(wav(rate=1)))),
    "a sound of 4 GHz": (of("speech_commands"), instances(b64(wav(rate=2**32 - 1)))),
    "a sound that says that it is longer": (
        of("speech_commands"),
        instances(b64(wav(size=2**32 - 1))),
    ),
    "half a sound": (of("speech_commands"), instances(b64(cut(sound(440))))),
    "a sound of 99 channels": (of("speech_commands"), instances(b64(wav(channels=99)))),
    "speech of 100 Hz": (of("speech_recognition"), instances(b64(wav(rate=100)))),
    "two pictures of 32 million pixels": (
        of("object_recognition"),
        instances(*[b64(bomb(5600))] * 2),
    ),
    "NaN among numbers": (
        of("anomaly_detection"),
        b'{"instances": [{"values": [[1], [NaN], [2]]}]}',
    ),
    "infinity among numbers": (
        of("anomaly_detection"),
        b'{"instances": [{"values": [[1e999], [1]]}]}',
    ),
    "a text of control characters": (SENTIMENT, instances("\0\x01\x7f\u202e\ufeff" * 100)),
    "a text of 300,000 characters": (SENTIMENT, instances("film " * 60_000)),
    "a temperature of zero": (of("translation"), columns("sample", text=["x"], temperature=0.0)),
    "a temperature without end": (
        of("translation"),
        columns("sample", text=["x"], temperature=1e38),
    ),
}
"""What may be answered or refused, but must harm nobody."""


@pytest.fixture(scope="module")
def http(released):
    with httpx.Client(base_url=released.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def usual(http):
    """The answer that the asker beside always gets."""
    return http.post(SENTIMENT, json=BESIDE).json()


class Beside:
    """Somebody who asks for the same thing all the time."""

    def __init__(self, url, usual):
        self.url, self.usual = url, usual
        self.wrong, self.count = [], 0
        self.stop = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()
        return self

    def _ask(self):
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self.stop.is_set() or not self.count:
                response = client.post(SENTIMENT, json=BESIDE)
                self.count += 1
                if response.status_code != 200 or not alike(response.json(), self.usual):
                    self.wrong.append(response.text)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        assert not self.wrong
        assert self.count


def alike(answer, usual):
    """But for the last digits, which follow who shares the batch."""
    (one,), (other,) = answer["predictions"], usual["predictions"]
    return one["label"] == other["label"] and np.allclose(
        one["probabilities"], other["probabilities"], atol=1e-5
    )


@pytest.mark.parametrize("kind", BODIES)
def test_what_is_wrong_is_refused(released, http, usual, kind):
    path, body = BODIES[kind]
    with Beside(released.url, usual):
        response = http.post(path, content=body)
    assert 400 <= response.status_code < 500, response.text[:500]
    assert list(response.json()) == ["error"]
    assert 0 < len(response.json()["error"]) < 1000


@pytest.mark.parametrize("kind", ODD)
def test_what_is_odd_harms_nobody(released, http, usual, kind):
    path, body = ODD[kind]
    with Beside(released.url, usual):
        response = http.post(path, content=body)
    assert response.status_code == 200 or 400 <= response.status_code < 500, response.text[:500]
    assert list(response.json()) in (["predictions"], ["outputs"], ["error"])


def test_neighbours_in_a_batch_are_unharmed(http):
    """A picture that is none, between others."""
    good = picture(33, 47, "PNG")
    alone = http.post(of("object_recognition"), content=instances(b64(good))).json()
    threads = []
    answers = {}

    def ask(number):
        content = instances(b64(good if number % 2 else b"\x89PNG\r\n\x1a\nnone"))
        answers[number] = http.post(of("object_recognition"), content=content)

    for number in range(8):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for number, response in answers.items():
        assert response.status_code == (200 if number % 2 else 400)
        if number % 2:
            ours, theirs = (each["predictions"][0] for each in (response.json(), alone))
            assert ours["label"] == theirs["label"]


def request(body, *headers, path=SENTIMENT):
    lines = [f"POST {path} HTTP/1.1", "host: x", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


BODY = json.dumps(BESIDE).encode()
LENGTH = f"content-length: {len(BODY)}"
CHUNKED = "transfer-encoding: chunked"
RAW = {
    "a length that is too large": (request(BODY, "content-length: 9999"), {408, 400, None}),
    "a negative length": (request(BODY, "content-length: -1"), {400}),
    "a length of letters": (request(BODY, "content-length: many"), {400}),
    "a length without end": (request(BODY, f"content-length: {'9' * 30}"), {400, 413}),
    "two lengths": (request(BODY, LENGTH, "content-length: 3"), {400}),
    "a length and chunks": (request(b"0\r\n\r\n", LENGTH, CHUNKED), {400}),
    "chunks that are none": (request(b"zz\r\n" + BODY, CHUNKED), {400}),
    "an unknown encoding": (request(BODY, "transfer-encoding: sideways"), {400, 411, 501}),
    "compressed": (
        request(
            zlib.compress(BODY),
            "content-encoding: deflate",
            f"content-length: {len(zlib.compress(BODY))}",
        ),
        {400, 415},
    ),
    "a header of a megabyte": (request(BODY, f"x: {'y' * 2**20}", LENGTH), {400, 431, None}),
    "a hundred thousand headers": (
        request(BODY, *[f"x{n}: y" for n in range(100_000)], LENGTH),
        {200, 400, 431, None},
    ),
    "a header with a bare line feed": (request(BODY, "x: y\nz: w", LENGTH), {200, 400}),
    "a null in the path": (request(BODY, LENGTH, path="/v1/models/\0:predict"), {400, 404}),
    "an older protocol": (b"POST / HTTP/0.9\r\n\r\n", {400, 404, 405, 505}),
    "a later protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 404, 405, 505}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), {400}),
    "an upgrade": (
        request(BODY, LENGTH, "connection: upgrade", "upgrade: websocket"),
        {200, 400, 426},
    ),
    "expects a word first": (request(BODY, LENGTH, "expect: 100-continue"), {100, 200}),
}
"""Bytes, and the statuses that may answer them; None where the connection is closed in silence."""


def statuses(released, content, count=1, wait=2.0):
    """Of all answers on one connection, of which there should be `count`."""
    host, port = released.url.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=wait) as raw:
        try:
            raw.sendall(content)
            while received.count(b"HTTP/1.1 ") < count and (part := raw.recv(65536)):
                received += part
        except OSError:  # closed by the server before all was sent, or silent
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)] or [None]


@pytest.mark.parametrize("kind", RAW)
def test_bytes_that_break_the_protocol(released, usual, kind):
    content, allowed = RAW[kind]
    with Beside(released.url, usual):
        found = statuses(released, content)
    assert set(found) <= {*allowed, 400}, found


def test_requests_in_one_piece_are_answered_in_order(released):
    wrong = request(b"{}", "content-length: 2")
    assert statuses(released, request(BODY, LENGTH) * 3 + wrong, 4) == [200, 200, 200, 400]


def test_chunks_are_put_together(released):
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, BODY[n : n + 1]) for n in range(len(BODY)))
    assert statuses(released, request(pieces + b"0\r\n\r\n", CHUNKED)) == [200]


def test_who_closes_one_half_harms_nobody(released, usual):
    """What is asked for then may go without an answer: uvicorn takes it for gone."""
    host, port = released.url.removeprefix("http://").split(":")
    with Beside(released.url, usual):
        for _ in range(20):
            with socket.create_connection((host, int(port)), timeout=10) as raw:
                raw.sendall(request(BODY, LENGTH))
                raw.shutdown(socket.SHUT_WR)
                received = raw.recv(65536)
                assert received == b"" or received.startswith(b"HTTP/1.1 200")


def test_who_sends_slowly_holds_up_nobody(released, usual):
    """Fifty connections with half a request each."""
    host, port = released.url.removeprefix("http://").split(":")
    half = request(BODY, LENGTH)[:-10]
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    for connection in slow:
        connection.sendall(half)
    with Beside(released.url, usual) as beside:
        pass
    assert beside.count
    for connection in slow:
        connection.sendall(request(BODY, LENGTH)[-10:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.close()


def test_memory_comes_back(released, http):
    """After twice as many of all that is refused as at first."""

    def all_of_them():
        for path, body in BODIES.values():
            http.post(path, content=body)

    all_of_them()
    before = memory(released.process)
    for _ in range(2):
        all_of_them()
    assert memory(released.process) < 1.1 * before
    assert http.post(SENTIMENT, json=BESIDE).status_code == 200


@pytest.mark.thorough
def test_what_does_not_come_is_given_up(tmp_path):
    """No request, half of its headers, half of its body: 408, and the connection is closed."""
    serving = Serving(tmp_path / "log", "sentiment", "--models", "saved_models", "--timeout", "1")
    for begun in (b"", request(BODY, LENGTH)[:40], request(BODY, LENGTH)[:-10]):
        assert statuses(serving, begun) == [408]
    assert statuses(serving, request(BODY, LENGTH)) == [200]
    assert serving.stop() == 0
