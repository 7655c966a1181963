"""The ASGI application by its own protocol, with a model that is a function."""

import asyncio
import dataclasses
import json
import threading

import numpy as np
import pytest

from rnnsuite.server import overview, reading
from rnnsuite.server import service as module
from rnnsuite.server.cost import Limits
from rnnsuite.server.library import Loaded
from rnnsuite.server.reading import Reader
from rnnsuite.server.service import METRICS, Service, Settings
from rnnsuite.server.signatures import Field, Signature

X = Field("x:0", "float32", (None,))


@dataclasses.dataclass
class Doubling:
    """Gives 2 x; fails on negative numbers with an error of its own, and waits on large ones."""

    name: str = "double"
    version: int = 1
    slow: float = 0.0
    signatures = {"serving_default": Signature({"x": X}, {"y": X}, {})}

    def run(self, signature, inputs):
        if (inputs["x"] < 0).any():
            raise ZeroDivisionError("of the model's own")
        if (inputs["x"] > 100).any():
            import time

            time.sleep(0.3)
        return {"y": 2 * inputs["x"]}

    def close(self):
        pass


@pytest.fixture
def service(tmp_path):
    made = Service(
        Settings(models=tmp_path, timeout=0.1, body=1000, limits=Limits(rows=8, numbers=12))
    )
    model = Doubling()
    made.library.models["double"] = {1: Loaded(model, made._batchers(model))}
    return made


def ask(service, method, path, body=b"", parts=1):
    """Status, headers and body of one request, whose body comes in parts."""
    size = max(len(body) // parts, 1)
    pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]
    sent = []

    async def receive():
        if not messages:
            await asyncio.Event().wait()  # the asker waits for the answer
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    asyncio.run(service(scope, receive, send))
    if not sent:
        return None, {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


PREDICT = "/v1/models/double:predict"


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(
    "path",
    [
        PREDICT,
        "/v1/models/double/versions/1:predict",
        "/v1/models/double/labels/stable:predict",
        "/V1/Models/double:PREDICT",
    ],
)
def test_a_model_is_asked_at_each_of_its_addresses(service, path, parts):
    status, headers, body = ask(service, "POST", path, b'{"instances": [1, 2.5]}', parts)
    assert status == 200
    assert json.loads(body) == {"predictions": [2.0, 5.0]}
    assert int(headers[b"content-length"]) == len(body)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", PREDICT, b"{", 400, "JSON Parse error"),
        ("POST", PREDICT, b'{"instances": [-1]}', 500, "the server's log says more"),
        ("POST", PREDICT, b'{"instances": [101]}', 504, "No answer within 0.1 s"),
        ("POST", PREDICT, b" " * 1001, 413, "larger than 1000 bytes"),
        ("POST", PREDICT, b'{"instances": [1,1,1,1,1,1,1,1,1]}', 413, "has 9 rows; at most 8 here"),
        ("POST", PREDICT, b'{"instances": [1], "signature_name": "b"}', 400, "not found in"),
        ("POST", "/v1/models/double:regress", b"{}", 400, "not for regress"),
        ("POST", "/v1/models/triple:predict", b"{}", 404, "Servable not found"),
        ("POST", "/v1/models/double/versions/2:predict", b"{}", 404, "Specific"),
        ("GET", PREDICT, b"", 400, "Malformed request"),
        ("DELETE", "/v1/models/double", b"", 400, "Malformed request"),
        ("GET", "/v1/models/triple", b"", 404, "any versions of model triple"),
        ("GET", "/v1/models/double/versions/x", b"", 400, "Malformed request"),
    ],
)
def test_a_refusal_says_why(service, method, path, body, status, said):
    found, _, answer = ask(service, method, path, body)
    assert (found, said in json.loads(answer)["error"]) == (status, True), answer


def test_too_many_at_a_time_are_told_to_come_again(service):
    service.under_way = service.settings.concurrency
    status, headers, _ = ask(service, "POST", PREDICT, b'{"instances": [1]}')
    assert status == 503
    assert headers[b"retry-after"] == b"1"
    assert service.under_way == service.settings.concurrency


def test_whoever_has_gone_gets_no_answer(service):
    service.settings = dataclasses.replace(service.settings, body=10**6)

    async def story():
        async def receive():
            return {"type": "http.disconnect"}

        async def send(message):
            raise AssertionError("nobody is there")

        await service({"type": "http", "method": "POST", "path": PREDICT}, receive, send)

    asyncio.run(story())
    assert service.under_way == 0


def test_state_and_metrics(service):
    status, _, body = ask(service, "GET", "/v1/models/double")
    assert status == 200
    assert json.loads(body)["model_version_status"][0]["state"] == "AVAILABLE"
    assert ask(service, "HEAD", "/v1/models/double")[2] == b""
    status, headers, page = ask(service, "GET", METRICS)
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/plain")
    assert b'rnnsuite_model_loaded{model="double",version="1"} 1.0' in page


def test_the_first_address_tells_what_can_be_asked(service):
    status, _, body = ask(service, "GET", "/")
    assert status == 200
    found = json.loads(body)
    assert found["metrics"] == METRICS
    assert found["models"]["double"] == {
        "versions": [1],
        "predict": "/v1/models/double:predict",
        "metadata": "/v1/models/double/metadata",
        "signatures": {"serving_default": {"inputs": ["x"], "optional": [], "outputs": ["y"]}},
    }
    assert overview.example(service.library) == "/"
    Doubling.signatures["serving_default"].inputs["text"] = X
    del Doubling.signatures["serving_default"].inputs["x"]
    try:
        line = overview.example(service.library)
    finally:
        Doubling.signatures["serving_default"].inputs["x"] = X
        del Doubling.signatures["serving_default"].inputs["text"]
    assert line == '/v1/models/double:predict -d \'{"instances": ["What a film."]}\''


def test_large_requests_and_answers_leave_the_loop_free(service, monkeypatch):
    service.read = Reader(Limits(10**6, 10**6))
    monkeypatch.setattr(reading, "LARGE", 8)
    monkeypatch.setattr(module, "MANY", 8)
    body = json.dumps({"inputs": np.arange(50).tolist()}).encode()
    status, _, answer = ask(service, "POST", PREDICT, body)
    service.read.close()
    assert status == 200
    assert json.loads(answer) == {"outputs": (2.0 * np.arange(50)).tolist()}


def test_what_nobody_waits_for_is_not_begun(service):
    """Two requests hold the threads; of the two behind them, one asker goes away."""
    model = service.library.models["double"][1].servable
    begun, ends = [], threading.Event()

    def run(signature, inputs):
        begun.append(inputs["x"].tolist())
        ends.wait(5)
        return {"y": inputs["x"]}

    model.run = run
    service.settings = dataclasses.replace(service.settings, timeout=5)
    service.parallel = 1
    service.threads = {}
    service.library.models["double"] = {1: Loaded(model, service._batchers(model))}

    async def asked(value, gone=None):
        messages = [{"type": "http.request", "body": b'{"instances": [%d]}' % value}]
        sent = []

        async def receive():
            if messages:
                return messages.pop(0)
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await service({"type": "http", "method": "POST", "path": PREDICT}, receive, send)
        return sent

    async def all_of_them():
        gone = asyncio.Event()
        first, lost, last = (
            asyncio.create_task(asked(1)),
            asyncio.create_task(asked(2, gone)),
            asyncio.create_task(asked(3)),
        )
        while not begun or service.under_way < 3:
            await asyncio.sleep(0.01)
        gone.set()
        assert await lost == []
        ends.set()
        return await first, await last

    answers = asyncio.run(all_of_them())
    assert [sent[0]["status"] for sent in answers] == [200, 200]
    assert begun == [[1.0], [3.0]]


def test_each_signature_has_threads_of_its_own(service):
    other = Doubling("other")
    batchers = service._batchers(other)["serving_default"]
    first = service.library.models["double"][1].about["serving_default"]
    assert batchers.threads is not first.threads
    assert service._batchers(Doubling("double", 2))["serving_default"].threads is first.threads


def test_what_stands_in_the_way_of_new_versions_is_said_once(caplog):
    outcomes = [OSError("gone"), OSError("gone"), OSError("gone"), None, None, OSError("gone")]

    class Library:
        async def refresh(self):
            if not outcomes:
                raise asyncio.CancelledError
            outcome = outcomes.pop(0)
            if outcome:
                raise outcome

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(module._watch(Library(), 0.001))
    lost = "Cannot look for new versions (OSError: gone)."
    assert caplog.messages == [lost, "New versions can be looked for again.", lost]
    assert not any(record.exc_info for record in caplog.records)


def test_a_fault_of_our_own_has_its_traceback(caplog):
    outcomes = [ZeroDivisionError("ours"), asyncio.CancelledError()]

    class Library:
        async def refresh(self):
            raise outcomes.pop(0)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(module._watch(Library(), 0.001))
    assert caplog.records[0].exc_info
